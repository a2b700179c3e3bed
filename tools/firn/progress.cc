#include "tools/firn/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tools/text/units.h"

namespace firn::tools {

Progress::Progress(std::string what, std::uint64_t total_bytes)
    : what_(std::move(what)), total_bytes_(total_bytes), visible_(isatty(STDERR_FILENO) == 1) {}

void Progress::clear() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
  drawn_ = false;
}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

void Progress::update(std::uint64_t rows, std::uint64_t bytes) {
  if (!visible_ || Clock::now() < next_) return;
  next_ = Clock::now() + std::chrono::milliseconds(100);
  draw(rows, bytes);
  drawn_ = true;
}

void Progress::draw(std::uint64_t rows, std::uint64_t bytes) const {
  const double elapsed = std::max(seconds(), 1e-3);
  std::string line = fmt::format("\r\033[K{} {} rows, {} rows/s", what_, count_text(rows),
                                 count_text(static_cast<std::uint64_t>(static_cast<double>(rows) / elapsed)));
  if (total_bytes_ != 0 && bytes != 0) {
    constexpr std::size_t kWidth = 30;
    const double share = std::min(1.0, static_cast<double>(bytes) / static_cast<double>(total_bytes_));
    const auto full = static_cast<std::size_t>(share * static_cast<double>(kWidth));
    line += fmt::format(" [{}{}] {:.0f} %, {} left", std::string(full, '#'), std::string(kWidth - full, '.'),
                        share * 100, seconds_text(elapsed / share - elapsed));
  }
  fmt::print(stderr, "{}", line);
  std::fflush(stderr);
}

}  // namespace firn::tools
