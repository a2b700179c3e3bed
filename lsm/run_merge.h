// The runs of a view merged for a user's iterator: memtables, L0 tables, levels, newest first. Of equal keys the one of
// the newest run comes first, in both directions; those of older runs, which it hides, are passed by.
//
// Idea: one flat array of key heads; the smallest wins, found by a branchless pass, as who wins is mostly random. A run
// that has won several times in a row is compared with the best of the others only (timsort's galloping mode). Keys are
// compared only where heads tie.
//
// Thread safety: one thread at a time. Lifetime: the view outlives the merge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "lsm/head_map.h"
#include "lsm/key_buffer.h"
#include "lsm/memtable_run.h"
#include "lsm/read_view.h"
#include "lsm/table_run.h"

namespace firn::lsm {

class RunMerge {
 public:
  // Memory that a merge of the runs of `view` needs beside itself.
  static std::size_t room_bytes(const ReadView& view);
  // Sees the writes up to `at`. Tables without keys in [lower, upper) are left out; other keys may be shown. `room`:
  // room_bytes(view), aligned as for operator new.
  RunMerge(const ReadView& view, Sequence at, const std::optional<std::string>& lower,
           const std::optional<std::string>& upper, std::byte* room);
  ~RunMerge();
  RunMerge(const RunMerge&) = delete;
  RunMerge& operator=(const RunMerge&) = delete;

  // Moves forward; then next() may follow.
  void seek(Slice key);
  void seek_to_first();
  void next() { advance<Direction::kForward>(); }
  // Moves backward; then prev() may follow.
  void seek_before(Slice key);
  void seek_to_last();
  void prev() { advance<Direction::kBackward>(); }

  // False past either end and after an error; status() tells the two apart. An error of any run ends the merge.
  bool valid() const { return valid_; }
  const Status& status() const { return status_; }
  // Of the bounds, by HeadMap; 0 where there is none.
  std::uint64_t lower_head() const { return lower_head_; }
  std::uint64_t upper_head() const { return upper_head_; }
  // The present key's. Precondition of both: valid().
  std::uint64_t head() const { return direction_ == Direction::kForward ? heads_[winner_] : ~heads_[winner_]; }
  // The present entry: its key goes to `key`, the rest is the answer. False, with the merge failed, when it cannot be
  // read.
  bool read(KeyBuffer& key, RunEntry& entry);
  // Blocks of tables of L0 that seeks have read so far, and would not have if all runs of tables were one; less those
  // that were read going on from there: who reads many rows does not feel a few blocks.
  std::uint64_t blocks_in_vain() const;

 private:
  enum class Direction : std::uint8_t { kForward, kBackward };

  // Calls `call` with run `run`.
  template <class Call>
  auto with(std::size_t run, Call call);
  void add_tables(const Version& version, Sequence at, const std::optional<std::string>& lower,
                  const std::optional<std::string>& upper);
  void prepare_seek(Slice key);
  template <class Seek>
  void start(Direction direction, Seek seek);
  template <Direction direction>
  void advance();
  bool load_head(std::size_t run);
  bool read_run(std::size_t run, KeyBuffer& key, RunEntry& entry);
  void choose();
  void count_blocks();
  std::size_t untie(std::uint64_t head);
  bool pass_versions(std::size_t run, Slice key);
  std::uint64_t best_of_others() const;
  bool fail(const Status& status);

  const HeadMap head_map_;
  const std::uint64_t lower_head_;
  const std::uint64_t upper_head_;
  // In `room`. Run i is memtable i, or table run i - memtables_.size().
  std::span<MemTableRun> memtables_;
  std::span<TableRun> tables_;  // Those of L0 first.
  // Of each run; complemented when moving backward, so that the smallest wins. All ones for a run that has ended.
  std::uint64_t* heads_ = nullptr;
  std::size_t count_ = 0;
  std::size_t l0_end_ = 0;  // The first run below L0.
  std::size_t winner_ = 0;
  std::uint32_t straight_wins_ = 0;
  std::uint64_t rival_head_ = 0;  // The others' best, while straight_wins_ >= kStraightWins.
  // By seeks: blocks read, and those of L0 that one run would have spared them.
  std::uint64_t sought_blocks_ = 0;
  std::uint64_t spared_blocks_ = 0;
  Direction direction_ = Direction::kForward;
  bool valid_ = false;
  // The present entry, where untie() has read it.
  bool best_known_ = false;
  KeyBuffer best_;
  RunEntry best_entry_;
  KeyBuffer tied_;  // Scratch of untie().
  Status status_;
};

}  // namespace firn::lsm
