// Every fuzz target in the ordinary tests, without a fuzzer: on its seeds, on the inputs of tests/fuzz/corpus/<name>
// (what a fuzzer kept, and everything that ever was a finding), and on mutations of both. FIRN_TEST_CASES scales how
// many.
//
// A finding ends the process. Its input is then in the file that the run names at its start.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/mutate.h"
#include "tests/fuzz/target.h"
#include "tests/platform/temporary_directory.h"
#include "tests/support/cases.h"

namespace firn::fuzz {

void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }  // NOLINT: GoogleTest's name.

namespace {

std::vector<std::string> corpus(const std::string& name) {
  std::vector<std::filesystem::path> paths;
  const std::filesystem::path folder = std::filesystem::path(FIRN_FUZZ_CORPUS) / name;
  if (!std::filesystem::exists(folder)) return {};
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return inputs;
}

// A finding ends the process with a signal: the input is written down then.
int kept_file = -1;
Slice present;

void keep_present(int number) {
  std::signal(number, SIG_DFL);
  if (write(kept_file, present.data(), present.size()) < 0) _exit(1);
  std::raise(number);
}

class FuzzTest : public ::testing::TestWithParam<Target> {
 protected:
  void SetUp() override {
    kept_file = open(kept_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ASSERT_GE(kept_file, 0);
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) std::signal(number, keep_present);
  }
  void TearDown() override {
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) std::signal(number, SIG_DFL);
    close(kept_file);
  }
  static void run(const std::string& input) {
    present = input;
    GetParam().run(input);
  }

  const testing::TemporaryDirectory directory_;
  const std::string kept_ = directory_.path(GetParam().name);
};

TEST_P(FuzzTest, HoldsForAnyBytes) {
  std::vector<std::string> inputs = GetParam().seeds();
  const std::vector<std::string> kept = corpus(GetParam().name);
  inputs.insert(inputs.end(), kept.begin(), kept.end());
  inputs.emplace_back();
  const std::uint64_t seed = std::random_device{}();
  const std::uint64_t count = testing::cases(GetParam().cases);
  std::cout << inputs.size() << " inputs, " << count << " mutations, seed " << seed << "; a finding would be kept in "
            << kept_ << std::endl;
  for (const std::string& input : inputs) run(input);
  std::mt19937_64 random(seed);
  for (std::uint64_t i = 0; i < count; ++i) run(mutate(inputs, random));
}

std::string target_name(const ::testing::TestParamInfo<Target>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(All, FuzzTest, ::testing::ValuesIn(targets().begin(), targets().end()), target_name);

}  // namespace
}  // namespace firn::fuzz
