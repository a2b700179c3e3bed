// A crash test of the engine: a list of steps at one durability. What survives must be the contents after some number
// of steps: at least as many as were promised, in every family the same (without a log: in each family by itself).
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "firn/db.h"
#include "firn/sim/crash_explorer.h"
#include "tools/crashtest/steps.h"

namespace firn::crashtest {

class EngineWorkload final : public sim::Workload {
 public:
  // The first `prepared` steps are not explored. `separate_value_bytes`: as in FamilyOptions, of every family.
  EngineWorkload(std::string name, Durability durability, std::vector<Step> steps, std::size_t prepared = 0,
                 std::uint32_t separate_value_bytes = 0);

  std::string name() const override { return name_; }
  Status run(sim::World& world) override;
  Status check(sim::World& world, std::span<const std::string> acknowledged) override;

  const std::vector<Step>& steps() const { return steps_; }

 private:
  class Run;

  Options options(const Platform& platform) const;
  FamilyOptions family_options() const;
  // Everything but what checks write.
  static Result<Contents> read_survivors(DB& db);
  Status check_prefix(std::uint64_t contents, std::span<const std::string> acknowledged) const;
  Status check_families(const Contents& contents, std::span<const std::string> acknowledged) const;

  const std::string name_;
  const Durability durability_;
  const std::vector<Step> steps_;
  const std::size_t prepared_;
  const std::uint32_t separate_value_bytes_;
  const History history_;
};

}  // namespace firn::crashtest
