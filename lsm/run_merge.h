// The runs of a view merged for a user's iterator: memtables, L0 tables, levels, newest first. Each key is shown once,
// as the newest run that has it sees it, deleted ones included; what older runs have of it is passed by.
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
  [[gnu::always_inline]] bool next() { return advance<Direction::kForward>(); }
  // Moves backward; then prev() may follow.
  void seek_before(Slice key);
  void seek_to_last();
  [[gnu::always_inline]] bool prev() { return advance<Direction::kBackward>(); }

  // False past either end and after an error; status() tells the two apart. An error of any run ends the merge. next()
  // and prev() answer it too.
  bool valid() const { return valid_; }
  const Status& status() const { return status_; }
  // Precondition of the rest: valid(). True if the present key is within the bound ahead, as its head alone shows.
  bool inside() const { return winner_->head < bound_head_; }
  // Whether the present entry is a tombstone.
  bool deleted() const { return leader_ != nullptr ? leader_->deleted() : memtables_[winner()].deleted(); }
  // Reads the present entry. False, with the merge failed, when it cannot be read.
  [[gnu::always_inline]] bool read(RunEntry& entry) {
    if (leader_ != nullptr) [[likely]] {
      leader_->read(key_, entry);
      if (leader_->trusted()) [[likely]]
        return true;
    }
    return read_again(entry);
  }
  // Of the entry read last; lives until the next move.
  Slice key() const { return key_.slice(); }
  // That its value points into; null if into none.
  const FileMapping* mapping() const { return leader_ != nullptr ? leader_->mapping() : nullptr; }
  // Blocks of tables of L0 that seeks have read so far, and would not have if all runs of tables were one; less those
  // that were read going on from there: who reads many rows does not feel a few blocks.
  std::uint64_t blocks_in_vain() const;

 private:
  enum class Direction : std::uint8_t { kForward, kBackward };
  // What decides of a run which comes first.
  struct Runner {
    std::uint64_t head;  // Complemented when moving backward, so that the smallest wins. All ones after the run's end.
    TableRun* table;     // Null for a memtable.
  };

  // Calls `call` with run `run`.
  template <class Call>
  auto with(std::size_t run, Call call);
  void add_tables(Sequence at, const std::optional<std::string>& lower, const std::optional<std::string>& upper);
  void take_bounds(const std::optional<std::string>& lower, const std::optional<std::string>& upper);
  void prepare_seek(Slice key);
  void open_tables(Slice key, std::uint64_t head);
  template <class Seek>
  void start(Direction direction, Seek seek);
  template <Direction direction>
  [[gnu::always_inline]] bool advance();
  std::size_t winner() const { return static_cast<std::size_t>(winner_ - runs_); }
  std::uint64_t oriented(std::uint64_t head) const { return direction_ == Direction::kForward ? head : ~head; }
  bool advance_memtable();
  bool move(std::size_t run);
  bool load_head(std::size_t run);
  bool read_again(RunEntry& entry);
  bool read_key(std::size_t run);
  bool compare(std::size_t run, int& order);
  void choose();
  bool choose_next();
  bool choose_after_end();
  void count_blocks();
  bool untie(std::uint64_t head);
  bool is_tied(std::size_t run, std::uint64_t head);
  std::uint64_t best_of_others() const;
  bool fail(const Status& status);

  const Version& version_;
  HeadMap head_map_;
  std::uint64_t lower_head_ = 0;
  std::uint64_t upper_head_ = ~std::uint64_t{0};
  // In `room`. Run i is memtable i, or table run i - memtables_.size().
  std::span<MemTableRun> memtables_;
  std::span<TableRun> tables_;  // Those of L0 first.
  Runner* runs_ = nullptr;
  std::size_t count_ = 0;
  std::size_t l0_tables_ = 0;  // Of tables_.
  Runner* winner_ = nullptr;
  TableRun* leader_ = nullptr;  // The winner's, if the merge is valid.
  std::uint32_t straight_wins_ = 0;
  std::uint64_t rival_head_ = 0;  // The others' best, while straight_wins_ >= kStraightWins; else 0.
  std::uint64_t bound_head_ = 0;  // Of the bound ahead, as in Runner.
  // By seeks: blocks read, and those of L0 that one run would have spared them.
  std::uint64_t sought_blocks_ = 0;
  std::uint64_t spared_blocks_ = 0;
  Direction direction_ = Direction::kForward;
  bool valid_ = false;
  KeyBuffer key_;
  Status status_;
};

// Precondition: valid(); the last move was in `direction`.
template <RunMerge::Direction direction>
inline bool RunMerge::advance() {
  constexpr bool kForward = direction == Direction::kForward;
  if (leader_ == nullptr) [[unlikely]]
    return advance_memtable();
  if (!(kForward ? leader_->next() : leader_->prev())) [[unlikely]]
    return choose_after_end();
  const std::uint64_t head = kForward ? leader_->head() : ~leader_->head();
  winner_->head = head;
  return head < rival_head_ || choose_next();
}

}  // namespace firn::lsm
