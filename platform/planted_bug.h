// Bugs put into Firn on purpose, to prove that its tests would notice them (mutation tests: DeMillo, Lipton and
// Sayward, "Hints on Test Data Selection", 1978). They exist in builds with -Dplanted_bugs=true only; there the
// environment variable FIRN_PLANTED_BUG names the one that is on. Everywhere else FIRN_PLANTED_BUG(...) is the constant
// false.
// `./dev planted-bugs` builds Firn so and shows which test catches each (tests/crash/planted_bugs.py).
//
// Thread safety: any thread.
#pragma once

#include <cstdint>

// (name, what goes wrong)
#define FIRN_PLANTED_BUGS(X)                                                                                \
  X(log_name_not_synced, "a new log segment's directory is not synced")                                     \
  X(table_name_not_synced, "a flushed table's directory is not synced")                                     \
  X(lost_names_ignored, "files count as made although a sync of their directory failed since")              \
  X(table_not_synced, "the manifest lists a table that was not synced")                                     \
  X(values_not_synced, "the manifest lists a value file that was not synced")                               \
  X(values_deleted_early, "a compaction's emptied value files go before its edit is durable")               \
  X(edit_not_synced, "a manifest edit counts before it is synced")                                          \
  X(edit_sync_failure_ignored, "a manifest edit counts although its sync failed")                           \
  X(clean_close_not_synced, "CURRENT names a clean close that is not on the device")                        \
  X(base_name_not_synced, "CURRENT names a manifest whose directory is not synced")                         \
  X(rename_before_sync, "a file is renamed into place before it is synced")                                 \
  X(rename_not_synced, "the directory is not synced after a file was renamed into place")                   \
  X(short_write_ignored, "a short write counts as a whole one")                                             \
  X(ack_before_sync, "a synced write is acknowledged before its sync")                                      \
  X(log_sync_failure_ignored, "a failed sync of the log is no failure")                                     \
  X(batch_split, "a batch becomes one log record per operation")                                            \
  X(durable_sequence_too_high, "durable_sequence() is what is visible")                                     \
  X(durable_stamp_too_high, "records say that everything before them is on the device")                     \
  X(log_proof_too_high, "manifest edits say that all of the log is on the device")                          \
  X(log_deleted_early, "log segments go although a memtable has some of their records")                     \
  X(log_deleted_before_edit, "log segments go before the manifest forgets them")                            \
  X(log_forgotten_early, "synced writes do not sync segments that the manifest is about to forget")         \
  X(tables_deleted_before_edit, "a compaction's inputs go before its edit is durable")                      \
  X(flush_before_log, "a flush does not sync the log that other families still need (prefix)")              \
  X(create_before_log, "a family is created before the log behind it is synced (prefix)")                   \
  X(drop_not_logged, "the manifest is not told that a family was dropped")                                  \
  X(replay_skips_gap, "recovery goes on behind a torn record in the next segment")                          \
  X(recovery_in_parts, "recovery records the tables of each family by an edit of its own (atomic batches)") \
  X(sequence_reused, "recovery goes on with sequence numbers that the log has used")                        \
  X(file_id_reused, "recovery goes on with file ids that are in the directory")                             \
  X(tombstone_dropped_early, "a compaction drops tombstones that hide older rows below")                    \
  X(snapshot_ignored, "a compaction drops what a snapshot still reads")                                     \
  X(log_checksum_skipped, "log records are not verified")                                                   \
  X(table_checksum_skipped, "blocks of tables are not verified")                                            \
  X(value_checksum_skipped, "values in value files are not verified")                                       \
  X(manifest_checksum_skipped, "manifest edits are not verified")

namespace firn {

enum class PlantedBug : std::uint8_t {
#define FIRN_PLANTED_BUG_NAME(name, what) name,
  FIRN_PLANTED_BUGS(FIRN_PLANTED_BUG_NAME)
#undef FIRN_PLANTED_BUG_NAME
};

#ifdef FIRN_HAVE_PLANTED_BUGS
// Whether FIRN_PLANTED_BUG in the environment names `bug`.
bool planted_bug(PlantedBug bug);
#else
constexpr bool planted_bug(PlantedBug) { return false; }
#endif

}  // namespace firn

#define FIRN_PLANTED_BUG(name) ::firn::planted_bug(::firn::PlantedBug::name)
