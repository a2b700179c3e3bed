// How far a long command is, in one line on standard error, redrawn ten times a second; nothing where that is no
// terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace firn::tools {

class Progress {
 public:
  // `total_bytes`: of the input; 0 when unknown.
  Progress(std::string what, std::uint64_t total_bytes);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::uint64_t rows, std::uint64_t bytes);
  // Takes the line away again.
  void clear();
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  void draw(std::uint64_t rows, std::uint64_t bytes) const;

  const std::string what_;
  const std::uint64_t total_bytes_;
  const bool visible_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_;
  bool drawn_ = false;
};

}  // namespace firn::tools
