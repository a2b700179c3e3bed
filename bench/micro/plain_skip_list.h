// What the memtable is measured against: a textbook skip list (Pugh 1990) of one node per entry, keys inline, one
// key comparison per step, as LevelDB's and RocksDB's default memtables are built. One thread only.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "codec/entry.h"
#include "firn/slice.h"

namespace firn::bench {

class PlainSkipList {
 public:
  PlainSkipList() : head_(make(0, {}, {}, kHeightMax)) {}

  void announce(Slice) {}
  void add(Sequence sequence, Slice key, Slice value, Slice /*next*/) {
    const std::uint64_t packed = pack_sequence(sequence, EntryKind::kPut);
    std::array<Node*, kHeightMax> before;
    find(key, packed, &before);
    int height = 1;
    while (height < kHeightMax && next_random() % 4 == 0) ++height;
    for (; height_ < height; ++height_) before[static_cast<std::size_t>(height_)] = head_;
    Node* const node = make(packed, key, value, height);
    for (int level = 0; level < height; ++level) {
      node->next(level) = before[static_cast<std::size_t>(level)]->next(level);
      before[static_cast<std::size_t>(level)]->next(level) = node;
    }
  }

  bool get(Slice key, Slice& value) const {
    const Node* const node = find(key, ~std::uint64_t{0}, nullptr);
    if (node == nullptr || node->key() != key) return false;
    value = node->value();
    return true;
  }

  template <class Visit>
  void scan(Visit visit) const {
    for (const Node* node = head_->next(0); node != nullptr; node = node->next(0)) visit(node->key(), node->value());
  }

 private:
  static constexpr int kHeightMax = 12;
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

  struct Node {
    std::uint64_t packed;
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;
    std::int64_t height;

    Node*& next(int level) { return reinterpret_cast<Node**>(this + 1)[level]; }
    Node* next(int level) const { return reinterpret_cast<Node* const*>(this + 1)[level]; }
    const char* bytes() const { return reinterpret_cast<const char*>(this + 1) + height * 8; }
    Slice key() const { return {bytes(), key_bytes}; }
    Slice value() const { return {bytes() + key_bytes, value_bytes}; }
  };

  Node* make(std::uint64_t packed, Slice key, Slice value, int height) {
    const std::size_t bytes =
        (sizeof(Node) + static_cast<std::size_t>(height) * 8 + key.size() + value.size() + 7) & ~std::size_t{7};
    if (left_ < bytes) {
      blocks_.push_back(std::make_unique<char[]>(kBlockBytes));
      at_ = blocks_.back().get();
      left_ = kBlockBytes;
    }
    auto* const node = new (at_)
        Node{packed, static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(value.size()), height};
    at_ += bytes;
    left_ -= bytes;
    for (int level = 0; level < height; ++level) node->next(level) = nullptr;
    key.copy(const_cast<char*>(node->bytes()), key.size());
    value.copy(const_cast<char*>(node->bytes()) + key.size(), value.size());
    return node;
  }

  // The first node at or after (key, packed); `before` gets the last one before it on each level.
  Node* find(Slice key, std::uint64_t packed, std::array<Node*, kHeightMax>* before) const {
    Node* node = head_;
    for (int level = height_ - 1;; --level) {
      for (Node* next = node->next(level); next != nullptr; next = node->next(level)) {
        const int order = next->key().compare(key);
        if (order > 0 || (order == 0 && next->packed <= packed)) break;
        node = next;
      }
      if (before != nullptr) (*before)[static_cast<std::size_t>(level)] = node;
      if (level == 0) return node->next(0);
    }
  }

  std::uint64_t next_random() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    return random_ ^= random_ << 17;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::uint64_t random_ = 88172645463325252;
  int height_ = 1;
  Node* head_;
};

}  // namespace firn::bench
