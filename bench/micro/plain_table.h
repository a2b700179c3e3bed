// A sorted table as many engines have it, for comparison: blocks of prefix-compressed entries with a restart point
// every 16, sequence and kind after each key, an index of full keys searched by bisection. In memory, unchecked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/entry.h"
#include "codec/varint.h"
#include "firn/slice.h"

namespace firn::bench {

class PlainTable {
 public:
  static constexpr std::size_t kBlockBytes = 4096;
  static constexpr int kRestartInterval = 16;

  void add(Slice key, std::uint64_t packed, Slice value) {
    if (block_.empty()) separators_.emplace_back(key);
    std::size_t shared = 0;
    if (entries_ % kRestartInterval == 0) {
      restarts_.push_back(static_cast<std::uint32_t>(block_.size()));
    } else {
      while (shared < last_.size() && shared < key.size() && last_[shared] == key[shared]) ++shared;
    }
    append_varint(block_, shared);
    append_varint(block_, key.size() - shared + 8);
    append_varint(block_, value.size());
    block_.append(key.substr(shared));
    append_fixed(block_, packed);
    block_.append(value);
    last_ = key;
    ++entries_;
    if (block_.size() + 4 * restarts_.size() >= kBlockBytes) finish_block();
  }
  void finish() {
    if (!block_.empty()) finish_block();
  }

  bool get(Slice key, Slice& value) const {
    Cursor cursor(*this);
    cursor.seek(key);
    if (!cursor.valid() || cursor.key() != key) return false;
    value = cursor.value();
    return true;
  }

  class Cursor {
   public:
    explicit Cursor(const PlainTable& table) : table_(table) {}
    bool valid() const { return block_ < table_.blocks_.size(); }
    Slice key() const { return Slice(key_).substr(0, key_.size() - 8); }
    Slice value() const { return value_; }

    void seek_to_first() { enter(0, 0); }
    void seek(Slice key) {
      std::size_t low = 0;
      std::size_t high = table_.separators_.size();
      while (low < high) {  // First block that begins above `key`.
        const std::size_t middle = (low + high) / 2;
        table_.separators_[middle] <= key ? low = middle + 1 : high = middle;
      }
      enter_at(low == 0 ? 0 : low - 1, key);
      while (valid() && this->key() < key) next();
    }
    void next() {
      if (at_ < data_end_) return decode();
      ++block_;
      if (valid()) enter(block_, 0);
    }

   private:
    std::uint32_t restart(std::size_t i) const { return load<std::uint32_t>(data_ + data_end_ + 4 * i); }
    void open(std::size_t block) {
      block_ = block;
      const std::string& bytes = table_.blocks_[block];
      data_ = bytes.data();
      restart_count_ = load<std::uint32_t>(data_ + bytes.size() - 4);
      data_end_ = bytes.size() - 4 - 4 * restart_count_;
    }
    void enter(std::size_t block, std::size_t restart_index) {
      open(block);
      at_ = restart(restart_index);
      decode();
    }
    void enter_at(std::size_t block, Slice key) {
      open(block);
      std::size_t low = 0;
      std::size_t high = restart_count_ - 1;
      while (low < high) {
        const std::size_t middle = (low + high + 1) / 2;
        at_ = restart(middle);
        decode();
        this->key() < key ? low = middle : high = middle - 1;
      }
      enter(block, low);
    }
    void decode() {
      std::uint32_t shared = 0;
      std::uint32_t rest = 0;
      std::uint32_t value = 0;
      const char* const end = data_ + data_end_;
      const char* in = get_varint32(data_ + at_, end, shared);
      in = get_varint32(in, end, rest);
      in = get_varint32(in, end, value);
      key_.resize(shared);
      key_.append(in, rest);
      value_ = {in + rest, value};
      at_ = static_cast<std::size_t>(in + rest + value - data_);
    }

    const PlainTable& table_;
    std::size_t block_ = 0;
    const char* data_ = nullptr;
    std::size_t data_end_ = 0;
    std::size_t restart_count_ = 0;
    std::size_t at_ = 0;
    std::string key_;
    Slice value_;
  };

 private:
  void finish_block() {
    for (const std::uint32_t restart : restarts_) append_fixed(block_, restart);
    append_fixed(block_, static_cast<std::uint32_t>(restarts_.size()));
    blocks_.push_back(std::move(block_));
    block_.clear();
    restarts_.clear();
    entries_ = 0;
  }

  std::vector<std::string> blocks_;
  std::vector<std::string> separators_;
  std::string block_;
  std::vector<std::uint32_t> restarts_;
  std::string last_;
  int entries_ = 0;
};

}  // namespace firn::bench
