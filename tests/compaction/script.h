// Tests written as text: a file of commands with their expected output, changed by rewriting and reviewed as a diff.
//
//   command and its lines
//   ----
//   what it printed
//   (blank line)
//
// FIRN_REWRITE=1 writes the outputs into the files instead of comparing. FIRN_SCRIPTS is the directory of the scripts.
// The form is that of Pebble's and CockroachDB's data-driven tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace firn::compaction {

// Runs every command of `name` through `run`: command line, further lines in; output, empty or ending in '\n', out.
inline void run_script(const std::string& name,
                       const std::function<std::string(const std::string&, const std::vector<std::string>&)>& run) {
  const char* directory = std::getenv("FIRN_SCRIPTS");
  const std::string path = std::string(directory == nullptr ? "tests/compaction/scripts" : directory) + "/" + name;
  std::ifstream file(path);
  ASSERT_TRUE(file.is_open()) << path;
  const bool rewrite = std::getenv("FIRN_REWRITE") != nullptr;
  std::string rewritten;
  std::string line;
  std::size_t number = 0;
  const auto next_line = [&] { return ++number, static_cast<bool>(std::getline(file, line)); };
  while (next_line()) {
    if (line.empty() || line[0] == '#') {
      rewritten += line + "\n";
      continue;
    }
    const std::size_t at = number;
    std::vector<std::string> lines;
    const std::string command = line;
    std::string block = line + "\n";
    while (next_line() && line != "----") {
      ASSERT_FALSE(line.empty()) << path << ':' << number << ": a command without ----";
      lines.push_back(line);
      block += line + "\n";
    }
    std::string expected;
    while (next_line() && !line.empty()) expected += line + "\n";
    const std::string output = run(command, lines);
    if (!rewrite) {
      EXPECT_EQ(output, expected) << path << ':' << at << ": " << command;
    }
    rewritten += block + "----\n" + output + "\n";
  }
  if (!rewrite) return;
  while (rewritten.size() >= 2 && rewritten.compare(rewritten.size() - 2, 2, "\n\n") == 0) rewritten.pop_back();
  std::ofstream(path) << rewritten;
}

}  // namespace firn::compaction
