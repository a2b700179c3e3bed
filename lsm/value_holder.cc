#include "lsm/value_holder.h"

#include <utility>

#include "lsm/file_names.h"
#include "lsm/table_store.h"

namespace firn::lsm {

ValueHolder::ValueHolder(std::shared_ptr<TableStore> store, const ValueMeta& meta)
    : store_(std::move(store)), meta_(meta) {}

ValueHolder::~ValueHolder() {
  store_->strike(*this);
  file_.reset();
  if (mapped_) store_->return_mapping(meta_.file_bytes);
  if (obsolete_.load(std::memory_order_relaxed)) store_->remove(path());
}

std::string ValueHolder::path() const { return value_path(store_->directory(), meta_.id); }

Result<const ValueFile*> ValueHolder::open_first() const {
  MutexLock lock(mutex_);
  if (file_ != nullptr) return static_cast<const ValueFile*>(file_.get());
  const bool may_map = store_->take_mapping(meta_.file_bytes);
  auto file = ValueFile::open(store_->files(), path(), meta_, store_->cache(), may_map);
  mapped_ = file.ok() && (*file)->mapped();
  if (may_map && !mapped_) store_->return_mapping(meta_.file_bytes);
  if (!file.ok()) {
    // To a reader "not found" would say that the key is not there.
    if (file.status().is_not_found()) return Status::corruption(path(), 0, "the file is missing");
    return file.status();
  }
  file_ = std::move(file).value();
  opened_.store(file_.get(), std::memory_order_release);
  return static_cast<const ValueFile*>(file_.get());
}

}  // namespace firn::lsm
