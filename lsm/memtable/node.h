// What a memtable keeps of a key: one node, and a chain of its versions, newest first.
//
// Versions carry a second, longer link (E. W. Myers, "An applicative random-access stack", 1983: the jumps are the
// digits of a skew-binary number), so that the newest version at or before a sequence is found in O(log n) steps: an
// old snapshot over a key that was overwritten 500,000 times stays fast.
//
// Thread safety: a node is constant once published but for `newest`; versions are constant once published.
// Lifetime: the arena's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/entry.h"
#include "codec/varint.h"
#include "firn/slice.h"

namespace firn::memtable {

struct Version {
  // Of every version but a key's first.
  struct Links {
    const Version* older;  // The next older version.
    const Version* jump;   // `older`, or one beyond it.
  };

  std::uint64_t packed;  // Sequence and kind: pack_sequence().
  std::uint32_t value_bytes;
  std::uint32_t ordinal;  // How many older versions the key has.
  // Links follow when ordinal > 0, then the value.

  bool first() const { return ordinal == 0; }
  // Precondition: !first().
  const Links& links() const { return *reinterpret_cast<const Links*>(this + 1); }
  Slice value() const { return {reinterpret_cast<const char*>(this + 1) + (first() ? 0 : sizeof(Links)), value_bytes}; }
};

struct Node {
  std::atomic<const Version*> newest;
  std::uint32_t hash_low;  // Low half of the key's hash.
  std::uint16_t key_bytes;
  // The key follows at kKeyOffset, then, aligned to eight bytes, its first version.

  static constexpr std::size_t kKeyOffset = 14;

  Slice key() const { return {reinterpret_cast<const char*>(this) + kKeyOffset, key_bytes}; }
  // key() == other, without a call for the usual sizes.
  bool has_key(Slice other) const {
    if (other.size() != key_bytes) return false;
    const char* const own = reinterpret_cast<const char*>(this) + kKeyOffset;
    if (key_bytes < 8 || key_bytes > 32) return std::memcmp(own, other.data(), key_bytes) == 0;
    std::size_t at = 0;
    for (; at + 8 < key_bytes; at += 8) {
      if (load<std::uint64_t>(own + at) != load<std::uint64_t>(other.data() + at)) return false;
    }
    at = key_bytes - 8U;
    return load<std::uint64_t>(own + at) == load<std::uint64_t>(other.data() + at);
  }
};
static_assert(offsetof(Node, key_bytes) + sizeof(Node::key_bytes) == Node::kKeyOffset);

// The newest version of a chain from `newest` on that is not newer than `at`; null when there is none.
inline const Version* version_at(const Version* newest, Sequence at) {
  const std::uint64_t limit = at << 8 | 0xFF;
  while (newest->packed > limit) {
    if (newest->first()) return nullptr;
    const Version::Links& links = newest->links();
    newest = links.jump->packed > limit ? links.jump : links.older;
  }
  return newest;
}

// The version of a chain from `newest` on with that ordinal. Precondition: ordinal <= newest->ordinal.
inline const Version* version_numbered(const Version* newest, std::uint32_t ordinal) {
  while (newest->ordinal > ordinal) {
    const Version::Links& links = newest->links();
    newest = links.jump->ordinal >= ordinal ? links.jump : links.older;
  }
  return newest;
}

// Where the jump of a version that follows `older` leads.
inline const Version* jump_behind(const Version* older) {
  const auto jump_of = [](const Version* version) { return version->first() ? version : version->links().jump; };
  const Version* const jump = jump_of(older);
  const Version* const second = jump_of(jump);
  return older->ordinal - jump->ordinal == jump->ordinal - second->ordinal ? second : older;
}

}  // namespace firn::memtable
