// The internal key: a user key, then where in the commit order it was written and what was done. Entries are ordered
// by user key (bytewise), then by sequence, newest first. No two entries share key and sequence.
#pragma once

#include <cstdint>

#include "firn/slice.h"

namespace firn {

// Stored in logs and tables: never renumber; 0 is never a valid kind.
enum class EntryKind : std::uint8_t {
  kPut = 1,
  kTombstone = 2,
  kReference = 3,  // In tables only: a put whose value lies in a value file; see sstable/value_format.h.
};

// What a write can be: in batches and logs.
inline bool write_kind_known(std::uint8_t kind) { return kind == 1 || kind == 2; }
// What an entry of a table can be.
inline bool entry_kind_known(std::uint8_t kind) { return kind >= 1 && kind <= 3; }

// Sequence (56 bits) and kind (8 bits) as one number; larger is newer.
inline std::uint64_t pack_sequence(Sequence sequence, EntryKind kind) {
  return sequence << 8 | static_cast<std::uint8_t>(kind);
}
inline Sequence sequence_of(std::uint64_t packed) { return packed >> 8; }
inline EntryKind kind_of(std::uint64_t packed) { return static_cast<EntryKind>(packed & 0xFF); }

// One version of one key. Borrowed bytes; whoever hands it out says how long they live.
struct Entry {
  Slice key;
  Slice value;  // Empty for a tombstone; of a reference, where the value is (encode_reference).
  Sequence sequence = 0;
  EntryKind kind = EntryKind::kPut;
};

// What an entry takes of a memtable beside its key and value, about: node, version, a share of a page and of the index.
inline constexpr std::uint64_t kMemtableEntryBytes = 76;

}  // namespace firn
