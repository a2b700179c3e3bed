// Many explorations, in processes of their own: who dies, hangs or trips an assertion leaves the token of what it did
// last, and is a violation like any other.
//
// Thread safety: one campaign at a time in a process; it forks, so no other threads should run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "firn/sim/crash_explorer.h"

namespace firn::crashtest {

struct CampaignOptions {
  std::vector<std::string> names;  // Of the catalog, or sequences.
  std::uint64_t seed = 1;          // The first; further rounds take the next ones.
  double seconds = 10;             // 0: one round, without a limit.
  std::uint32_t processes = 1;
  sim::ExploreLimits limits;  // Of each exploration; seed and seconds are set by the campaign.
};

struct CampaignRow {
  std::string name;
  sim::ExploreReport report;  // Without violations.
  std::uint64_t explorations = 0;
};

struct CampaignReport {
  std::vector<CampaignRow> rows;  // By name; sequences together in one.
  sim::ExploreReport total;       // With the violations.
  std::uint64_t explorations = 0;
  std::uint64_t seeds = 0;  // Seeds from CampaignOptions::seed on of which at least one exploration ended.
  double seconds = 0;       // By the clock.
};

// `progress` hears of the totals about ten times a second; false ends the campaign. It ends at a violation too.
CampaignReport run_campaign(const CampaignOptions& options,
                            const std::function<bool(const sim::ExploreReport& so_far, double seconds)>& progress);

}  // namespace firn::crashtest
