#include "lsm/table_store.h"

#include "lsm/file_names.h"

namespace firn::lsm {

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
  MutexLock lock(mutex_);
  if (forgotten_) return;
  if (files_.remove(path).ok()) files_removed_.fetch_add(1, std::memory_order_relaxed);
}

void TableStore::forget_files() {
  MutexLock lock(mutex_);
  forgotten_ = true;
  // A table that cannot be opened now says so to who reads it later.
  for (const auto& [id, table] : tables_) static_cast<void>(table->open());
}

void TableStore::enlist(const TableFile& table) {
  MutexLock lock(mutex_);
  tables_.emplace(table.meta().id, &table);
}

void TableStore::strike(const TableFile& table) {
  MutexLock lock(mutex_);
  tables_.erase({table.meta().id, &table});
}

TableFile::TableFile(std::shared_ptr<TableStore> store, TableMeta meta)
    : store_(std::move(store)), meta_(std::move(meta)) {
  store_->enlist(*this);
}

TableFile::~TableFile() {
  store_->strike(*this);
  table_.reset();
  if (mapped_) store_->return_mapping(meta_.file_bytes);
  if (obsolete_.load(std::memory_order_relaxed)) store_->remove(path());
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
  const bool may_map = store_->take_mapping(meta_.file_bytes);
  auto table = Table::open(store_->files(), path(), meta_, store_->cache(), may_map);
  if (!table.ok()) {
    if (may_map) store_->return_mapping(meta_.file_bytes);
    // To a reader "not found" would say that the key is not there.
    if (table.status().is_not_found()) return Status::corruption(path(), 0, "the file is missing");
    return table.status();
  }
  mapped_ = may_map;
  table_ = std::move(table).value();
  opened_.store(table_.get(), std::memory_order_release);
  return table_.get();
}

}  // namespace firn::lsm
