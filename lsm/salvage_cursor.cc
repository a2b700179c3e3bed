// Tested in tests/faults/repair_test.cc.
#include "lsm/salvage_cursor.h"

#include <algorithm>

namespace firn::lsm {

bool SalvagedTable::next() {
  while (position_ == entries_) {
    if (next_block_ == table_->blocks()) return false;
    auto block = table_->block(next_block_);
    if (block.ok()) {
      block_ = *block;
      entries_ = block_.entries();
    } else {
      lost_(table_->block_damage(next_block_, block.status()));
      entries_ = 0;
    }
    position_ = 0;
    ++next_block_;
  }
  key_ = block_.key(position_);
  value_ = block_.body(position_).value;
  const std::uint64_t packed = block_.packed_sequence(position_);
  sequence_ = sequence_of(packed);
  kind_ = kind_of(packed);
  ++position_;
  return true;
}

void SalvagedLog::add(const BatchOperation& op, Sequence sequence) {
  Version& version = versions_[std::string(op.key)];
  if (version.sequence > sequence) return;
  version = {sequence, op.kind, std::string(op.value)};
}

bool SalvagedLog::next() {
  at_ = at_ ? std::next(*at_) : versions_.begin();
  if (*at_ == versions_.end()) return false;
  const auto& [key, version] = **at_;
  key_ = key;
  value_ = version.value;
  sequence_ = version.sequence;
  kind_ = version.kind;
  return true;
}

Status merge_newest(std::vector<std::unique_ptr<SalvageRun>> runs,
                    const std::function<Status(const SalvageRun&)>& visit) {
  // The next entry to be taken on top.
  const auto later = [&runs](std::size_t a, std::size_t b) {
    const SalvageRun& x = *runs[a];
    const SalvageRun& y = *runs[b];
    if (const int order = x.key().compare(y.key()); order != 0) return order > 0;
    return x.sequence() != y.sequence() ? x.sequence() < y.sequence() : a > b;
  };
  std::vector<std::size_t> heap;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i]->next()) heap.push_back(i);
  }
  std::make_heap(heap.begin(), heap.end(), later);
  std::optional<std::string> last;
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    SalvageRun& run = *runs[heap.back()];
    if (last != run.key()) {
      if (Status status = visit(run); !status.ok()) return status;
      last = run.key();
    }
    if (run.next()) {
      std::push_heap(heap.begin(), heap.end(), later);
    } else {
      heap.pop_back();
    }
  }
  return {};
}

}  // namespace firn::lsm
