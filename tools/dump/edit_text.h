// A version edit, and what edits add up to, as text and as JSON.
#pragma once

#include <string>
#include <vector>

#include "firn/options.h"
#include "lsm/manifest_state.h"
#include "lsm/version_edit.h"
#include "tools/dump/output.h"

namespace firn::tools {

// What `edit` changes, a token each, such as "+table 7 default/L0 (12 entries, 4.0 KiB)". `state`: before or after it,
// for the names of families.
std::vector<std::string> edit_tokens(const lsm::VersionEdit& edit, const lsm::ManifestState& state);
Json edit_json(const lsm::VersionEdit& edit, const lsm::ManifestState& state, const Output& out);

// Families with their levels, log segments, counters.
void print_state(const lsm::ManifestState& state, Output& out);

}  // namespace firn::tools
