// The input as a program: calls of the API, on a tiny engine and on MemoryDB side by side, with every answer compared.
// Operations, and what is compared: tests/contract/model.h.
#include <random>
#include <string>
#include <vector>

#include "tests/contract/model.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

using testing::Operation;

constexpr std::size_t kOperationBytes = 8;
constexpr std::size_t kOperationsMax = 200;

void run(Slice bytes) {
  Input input(bytes);
  const std::unique_ptr<testing::Backend> backend = testing::model_backends().front().make();
  testing::Model model(*backend);
  for (std::size_t i = 0; i < kOperationsMax && !input.empty(); ++i) {
    Operation operation;
    operation.action =
        static_cast<testing::Action>(input.byte() % (static_cast<int>(testing::Action::kDropFamily) + 1));
    operation.pick = input.byte();
    operation.key = testing::key_from(static_cast<std::uint32_t>(input.number(2)));
    operation.other = testing::key_from(static_cast<std::uint32_t>(input.number(2)));
    operation.seed = static_cast<std::uint32_t>(input.number(2));
    model.run(operation);
  }
  model.finish();
}

std::vector<std::string> seeds() {
  std::mt19937 random(1);
  std::vector<std::string> inputs(4);
  for (std::string& input : inputs) {
    for (std::size_t i = 0; i < 40 * kOperationBytes; ++i) input += static_cast<char>(random());
  }
  return inputs;
}

const Registration kRegistered({"program", run, seeds, 40});

}  // namespace

}  // namespace firn::fuzz
