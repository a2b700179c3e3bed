// How every call that can fail says so: `Status` (an outcome) and `Result<T>` (a value or an outcome).
// One pointer wide, null is success: the idea is LevelDB's. No exception crosses a public function but one:
// std::bad_alloc, from those that answer no Status (multi_get, snapshot, families, WriteBatch, ...), without effect.
//
// Thread safety: as for any value; distinct objects may be used from distinct threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "firn/export.h"

namespace firn {

// What a caller can react to. Numbers are stable: tools map them to exit codes and bindings pass them on.
enum class StatusCode : std::uint8_t {
  kOk = 0,
  kNotFound = 1,         // The key (or family, or file) does not exist; not a failure of the engine.
  kInvalidArgument = 2,  // The call was wrong; nothing was changed.
  kCorruption = 3,       // Bytes on disk are not what was written; file() and offset() say where.
  kIo = 4,               // The operating system refused: permission, device error, failed sync.
  kNoSpace = 5,          // Disk or quota is full; nothing was changed.
  kBusy = 6,             // Somebody else holds it: the database's lock, a running operation.
  kNotADatabase = 7,     // The path holds no Firn database.
  kNewerFormat = 8,      // Written by a newer Firn than this one.
  kNotSupported = 9,     // This build or this file system cannot do that.
  kClosed = 10,          // The database was closed.
  kOutOfMemory = 11,     // Memory was refused; nothing was changed.
};

// The code's name as printed in messages, such as "corruption". Never null.
FIRN_EXPORT std::string_view status_code_name(StatusCode code);

// The outcome of a call. Ok and NotFound without a message cost no allocation.
class FIRN_EXPORT [[nodiscard]] Status {
 public:
  Status() noexcept = default;  // Ok.
  // `message`: what failed, why, and what to do about it, in one line without a trailing full stop.
  Status(StatusCode code, std::string message);
  Status(const Status& other);
  Status& operator=(const Status& other);
  Status(Status&& other) noexcept : rep_(std::exchange(other.rep_, nullptr)) {}
  Status& operator=(Status&& other) noexcept {
    std::swap(rep_, other.rep_);
    return *this;
  }
  ~Status() {
    if (rep_ != nullptr) release();
  }

  static Status not_found();      // Carries no message and no allocation.
  static Status out_of_memory();  // Likewise.
  // Damage in `file` at byte `offset`; `detail` says what was expected and what was found.
  static Status corruption(std::string_view file, std::uint64_t offset, std::string_view detail);

  bool ok() const noexcept { return rep_ == nullptr; }
  bool is_not_found() const noexcept { return code() == StatusCode::kNotFound; }
  StatusCode code() const noexcept;
  // Empty for Ok and for a bare NotFound. Lives as long as this Status.
  std::string_view message() const noexcept;
  // The damaged file's path; empty unless kCorruption named one.
  std::string_view file() const noexcept;
  // Byte offset of the damage within file(); absent unless kCorruption named one.
  std::optional<std::uint64_t> offset() const noexcept;
  // "ok", or "corruption: /db/000007.table: offset 4096: ...".
  std::string to_string() const;

 private:
  struct Rep;
  explicit Status(const Rep* rep) noexcept : rep_(rep) {}
  void release() noexcept;

  const Rep* rep_ = nullptr;
};

// A T, or the Status (never Ok) that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const noexcept { return value_.has_value(); }
  const Status& status() const noexcept { return status_; }
  // Takes the outcome and forgets the value: `Status s = db->put(k, v);`.
  operator Status() && { return std::move(status_); }  // NOLINT(google-explicit-constructor)

  // Precondition of all below: ok().
  T& value() & noexcept { return *value_; }
  const T& value() const& noexcept { return *value_; }
  T&& value() && noexcept { return *std::move(value_); }
  T& operator*() & noexcept { return *value_; }
  const T& operator*() const& noexcept { return *value_; }
  T&& operator*() && noexcept { return *std::move(value_); }
  T* operator->() noexcept { return &*value_; }
  const T* operator->() const noexcept { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace firn
