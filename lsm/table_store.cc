#include "lsm/table_store.h"

#include <algorithm>
#include <utility>

#include "lsm/file_names.h"
#include "platform/assert.h"

namespace firn::lsm {

namespace {

// More than these do not wait to be removed, for they take up space: who dooms another one removes it. With fewer a
// flush that writers wait for had to, where large values are overwritten.
constexpr std::size_t kDoomedMax = 12;

}  // namespace

TableStore::TableStore(FileSystem& files, std::string directory, std::uint64_t cache_bytes)
    : files_(files),
      directory_(std::move(directory)),
      cache_(cache_bytes),
      mapping_budget_bytes_(files.mapping_budget_bytes()) {}

bool TableStore::take_mapping(std::uint64_t bytes) {
  const std::uint64_t before = mapped_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes <= mapping_budget_bytes_) return true;
  return_mapping(bytes);
  return false;
}

void TableStore::return_mapping(std::uint64_t bytes) { mapped_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

void TableStore::remove(const std::string& path) {
  {
    MutexLock lock(mutex_);
    if (forgotten_) return;
    ++removing_;
    if (remover_ != nullptr && doomed_.size() < kDoomedMax) {
      doomed_.push_back(path);
      if (!std::exchange(remover_busy_, true)) {
        remover_->submit(TaskPriority::kLow, [self = shared_from_this()] { self->remove_doomed(); });
      }
      return;
    }
  }
  remove_file(path);
}

void TableStore::remove_doomed() {
  for (;;) {
    std::string path;
    {
      MutexLock lock(mutex_);
      remover_busy_ = !doomed_.empty();
      if (!remover_busy_) return;
      path = std::move(doomed_.front());
      doomed_.pop_front();
    }
    remove_file(path);
  }
}

// Without the lock: it takes a device its time to free a large file, and who installs a table wants the lock.
void TableStore::remove_file(const std::string& path) {
  if (files_.remove(path).ok()) files_removed_.fetch_add(1, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  if (--removing_ == 0) removed_all_.notify_all();
}

void TableStore::remove_in_background(Executor* executor) {
  MutexLock lock(mutex_);
  remover_ = executor;
}

void TableStore::wait_removed() {
  MutexLock lock(mutex_);
  while (removing_ != 0) removed_all_.wait(mutex_);
}

void TableStore::forget_files() {
  std::vector<std::shared_ptr<ValueHolder>> held_now;  // Given back without the lock.
  {
    MutexLock lock(mutex_);
    forgotten_ = true;
  }
  wait_removed();
  MutexLock lock(mutex_);
  // A table that cannot be opened now says so to who reads it later.
  for (const auto& [id, table] : tables_) static_cast<void>(table->open());
  for (const auto& [id, held] : values_) {
    held_now.push_back(held.lock());
    if (held_now.back() != nullptr) static_cast<void>(held_now.back()->open());
  }
}

std::shared_ptr<ValueHolder> TableStore::values(const ValueMeta& meta) {
  MutexLock lock(mutex_);
  std::weak_ptr<ValueHolder>& held = values_[meta.id];
  std::shared_ptr<ValueHolder> values = held.lock();
  if (values == nullptr) {
    values = std::make_shared<ValueHolder>(shared_from_this(), meta);
    held = values;
  }
  return values;
}

std::shared_ptr<ValueHolder> TableStore::held_values(std::uint64_t id) {
  MutexLock lock(mutex_);
  const auto held = values_.find(id);
  return held == values_.end() ? nullptr : held->second.lock();
}

void TableStore::enlist(const TableFile& table) {
  MutexLock lock(mutex_);
  tables_.emplace(table.meta().id, &table);
}

void TableStore::strike(const TableFile& table) {
  MutexLock lock(mutex_);
  tables_.erase({table.meta().id, &table});
}

void TableStore::strike(const ValueHolder& values) {
  MutexLock lock(mutex_);
  const auto held = values_.find(values.meta().id);
  if (held != values_.end() && held->second.expired()) values_.erase(held);
}

TableFile::TableFile(std::shared_ptr<TableStore> store, TableMeta meta)
    : store_(std::move(store)), meta_(std::move(meta)) {
  store_->enlist(*this);
  values_.reserve(meta_.values.size());
  for (const ValueUse& use : meta_.values) {
    values_.push_back(store_->held_values(use.file));
    FIRN_ASSERT(values_.back() != nullptr);
  }
}

TableFile::~TableFile() {
  store_->strike(*this);
  table_.reset();
  if (mapped_) store_->return_mapping(meta_.file_bytes);
  if (obsolete_.load(std::memory_order_relaxed)) store_->remove(path());
}

Status TableFile::read_value(const EpochGuard& guard, const ValueReference& at, Slice key, ValueHit& hit) const {
  const auto use = std::lower_bound(meta_.values.begin(), meta_.values.end(), at.file,
                                    [](const ValueUse& held, std::uint64_t file) { return held.file < file; });
  if (use == meta_.values.end() || use->file != at.file) {
    return Status::corruption(
        path(), 0, "an entry refers to value file " + std::to_string(at.file) + ", which the properties do not name");
  }
  auto values = values_[static_cast<std::size_t>(use - meta_.values.begin())]->open();
  return values.ok() ? (*values)->read(guard, at, key, hit) : values.status();
}

std::string TableFile::path() const { return table_path(store_->directory(), meta_.id); }

std::shared_ptr<Table> TableFile::shared() const {
  MutexLock lock(mutex_);
  return table_;
}

Result<std::shared_ptr<Table>> TableFile::open_for_job() const {
  if (opened() != nullptr) return shared();
  return Table::open(store_->files(), path(), meta_, store_->cache(), false);
}

Result<Table*> TableFile::open_first() const {
  MutexLock lock(mutex_);
  if (table_ != nullptr) return table_.get();
  auto table = Table::start_open(store_->files(), path(), store_->cache());
  // To a reader "not found" would say that the key is not there.
  if (table.status().is_not_found()) return Status::corruption(path(), 0, "the file is missing");
  if (!table.ok()) return table.status();
  if (Status s = (*table)->continue_open(meta_); !s.ok()) return s;
  if (Status s = finish_open(std::move(table).value()); !s.ok()) return s;
  return table_.get();
}

Result<Table*> TableFile::open_whole() const {
  auto table = open();
  if (!table.ok() || (*table)->has_filter()) return table;
  MutexLock lock(mutex_);
  Status s = (*table)->load_filter();
  filter_failed_.store(!s.ok(), std::memory_order_relaxed);
  if (!s.ok()) return s;
  return table;
}

// The last step; mutex_ is held.
Status TableFile::finish_open(std::shared_ptr<Table> table) const {
  const bool may_map = store_->take_mapping(meta_.file_bytes);
  if (Status s = table->finish_open(meta_, may_map); !s.ok()) {
    if (may_map) store_->return_mapping(meta_.file_bytes);
    return s;
  }
  mapped_ = may_map;
  table_ = std::move(table);
  opened_.store(table_.get(), std::memory_order_release);
  return {};
}

void TableFile::open_together(std::vector<const TableFile*> files) {
  // By id: the same order in every run.
  std::sort(files.begin(), files.end(), [](const auto* a, const auto* b) { return a->meta_.id < b->meta_.id; });
  files.erase(std::unique(files.begin(), files.end()), files.end());
  std::vector<std::pair<const TableFile*, std::shared_ptr<Table>>> begun;
  for (const TableFile* const file : files) {
    if (file->opened() != nullptr) continue;
    TableStore& store = *file->store_;
    auto table = Table::start_open(store.files(), file->path(), store.cache());
    if (table.ok()) begun.emplace_back(file, std::move(table).value());
  }
  std::erase_if(begun, [](const auto& open) { return !open.second->continue_open(open.first->meta_).ok(); });
  for (auto& [file, table] : begun) {
    MutexLock lock(file->mutex_);
    if (file->table_ == nullptr) static_cast<void>(file->finish_open(std::move(table)));
  }
}

void TableFile::prepare_gets(const std::vector<const TableFile*>& files) {
  open_together(files);
  std::vector<const TableFile*> due;
  std::uint64_t bytes = 0;
  for (const TableFile* const file : files) {
    if (file->opened() == nullptr || file->ready_to_get()) continue;
    if (file->gets_.load(std::memory_order_relaxed) < kGetsBeforeFilter || bytes >= kFilterBytesPerCall) continue;
    if (std::find(due.begin(), due.end(), file) != due.end()) continue;
    bytes += file->opened()->request_filter();
    due.push_back(file);
  }
  for (const TableFile* const file : files) file->gets_.fetch_add(1, std::memory_order_relaxed);
  for (const TableFile* const file : due) static_cast<void>(file->open_whole());
}

}  // namespace firn::lsm
