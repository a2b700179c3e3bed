// The iterator that users hold: of all versions of all runs of a family, what one sequence sees, within bounds.
//
// Lifetime: keeps its view (memtables, tables) alive. Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "firn/iterator.h"
#include "lsm/read_view.h"
#include "lsm/run_merge.h"

namespace firn::lsm {

class DbIterator final : public IteratorImpl {
 public:
  // Sees the writes up to `at`, within the bounds of `options`. One allocation, but for bounds beyond 15 bytes.
  static std::unique_ptr<IteratorImpl> make(ViewRef view, Sequence at, const IteratorOptions& options);
  ~DbIterator() override;
  static void operator delete(void* memory) { ::operator delete(memory); }

  Step seek_to_first() override;
  Step seek_to_last() override;
  Step seek(Slice key) override;
  Step seek_before(Slice key) override;
  Step next() override;
  Step prev() override;
  Step load_value() override;
  Slice key() const override { return merge_.key(); }
  Slice value() const override { return entry_.value; }
  const Status& status() const override { return status_; }
  bool intact() const override;

 private:
  // Memory for the runs, which follows the iterator.
  struct Room {
    std::size_t bytes;
  };
  static void* operator new(std::size_t bytes, Room room) { return ::operator new(bytes + room.bytes); }
  static void operator delete(void* memory, Room) { ::operator delete(memory); }
  DbIterator(ViewRef view, Sequence at, const IteratorOptions& options);

  enum class Position : std::uint8_t {
    kNew,       // Nowhere yet.
    kForward,   // On an entry, as is merge_, which moves forward.
    kBackward,  // On an entry, as is merge_, which moves backward.
    kFirstEnd,  // Before the first entry.
    kLastEnd,   // After the last entry.
    kError,
  };

  // Rest on the first entry that is not deleted at merge_'s position or beyond, or beyond it if that `was_shown`.
  Step go_forward(bool was_shown);
  Step go_backward(bool was_shown);
  Step settle_forward();
  Step settle_backward();
  Step show(Position position);
  Step end(Position end);
  Step fail(const Status& status);

  const ViewRef view_;
  const std::optional<std::string> lower_;
  const std::optional<std::string> upper_;
  const bool lazy_values_;
  RunMerge merge_;

  Position position_ = Position::kNew;
  RunEntry entry_;        // The present one. What it says of a value apart is gone once that was read.
  BlockRef value_block_;  // Keeps its value alive, where the view does not.
  const FileMapping* value_mapping_ = nullptr;  // That its value is in, if that is a value file's.
  Status status_;
};

// Answers `status` at every move: what a database gives when it cannot make an iterator.
class FailedIterator final : public IteratorImpl {
 public:
  explicit FailedIterator(Status status) : status_(std::move(status)) {}
  Step seek_to_first() override { return Step::kError; }
  Step seek_to_last() override { return Step::kError; }
  Step seek(Slice) override { return Step::kError; }
  Step seek_before(Slice) override { return Step::kError; }
  Step next() override { return Step::kError; }
  Step prev() override { return Step::kError; }
  Step load_value() override { return Step::kError; }
  Slice key() const override { return {}; }
  Slice value() const override { return {}; }
  const Status& status() const override { return status_; }

 private:
  Status status_;
};

}  // namespace firn::lsm
