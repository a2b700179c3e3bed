#include "firn/status.h"

#include "firn/health.h"

namespace firn {

struct Status::Rep {
  StatusCode code = StatusCode::kOk;
  bool shared = false;  // A static: never freed.
  std::string message;
  std::string file;
  std::optional<std::uint64_t> offset;
};

std::string_view status_code_name(StatusCode code) {
  switch (code) {
    case StatusCode::kOk: return "ok";
    case StatusCode::kNotFound: return "not found";
    case StatusCode::kInvalidArgument: return "invalid argument";
    case StatusCode::kCorruption: return "corruption";
    case StatusCode::kIo: return "I/O error";
    case StatusCode::kNoSpace: return "no space";
    case StatusCode::kBusy: return "busy";
    case StatusCode::kNotADatabase: return "not a database";
    case StatusCode::kNewerFormat: return "newer format";
    case StatusCode::kNotSupported: return "not supported";
    case StatusCode::kClosed: return "closed";
    case StatusCode::kOutOfMemory: return "out of memory";
  }
  return "unknown";
}

std::string_view error_level_name(ErrorLevel level) {
  switch (level) {
    case ErrorLevel::kNone: return "none";
    case ErrorLevel::kSoft: return "soft";
    case ErrorLevel::kHard: return "hard";
  }
  return "unknown";
}

Status::Status(StatusCode code, std::string message)
    : rep_(code == StatusCode::kOk ? nullptr : new Rep{code, false, std::move(message), {}, {}}) {}

Status::Status(const Status& other)
    : rep_(other.rep_ == nullptr || other.rep_->shared ? other.rep_ : new Rep(*other.rep_)) {}

Status& Status::operator=(const Status& other) {
  Status copy(other);
  std::swap(rep_, copy.rep_);
  return *this;
}

void Status::release() noexcept {
  if (!rep_->shared) delete rep_;
}

Status Status::not_found() {
  static const Rep bare{StatusCode::kNotFound, true, {}, {}, {}};
  return Status(&bare);
}

Status Status::out_of_memory() {
  static const Rep bare{StatusCode::kOutOfMemory, true, {}, {}, {}};
  return Status(&bare);
}

Status Status::corruption(std::string_view file, std::uint64_t offset, std::string_view detail) {
  std::string message(file);
  message.append(": offset ").append(std::to_string(offset)).append(": ").append(detail);
  return Status(new Rep{StatusCode::kCorruption, false, std::move(message), std::string(file), offset});
}

StatusCode Status::code() const noexcept { return rep_ == nullptr ? StatusCode::kOk : rep_->code; }

std::string_view Status::message() const noexcept {
  return rep_ == nullptr ? std::string_view() : std::string_view(rep_->message);
}

std::string_view Status::file() const noexcept {
  return rep_ == nullptr ? std::string_view() : std::string_view(rep_->file);
}

std::optional<std::uint64_t> Status::offset() const noexcept { return rep_ == nullptr ? std::nullopt : rep_->offset; }

std::string Status::to_string() const {
  std::string text(status_code_name(code()));
  if (!message().empty()) text.append(": ").append(message());
  return text;
}

}  // namespace firn
