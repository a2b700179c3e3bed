// Tested in tests/faults/repair_test.cc.
#include "lsm/survey.h"

#include <utility>

#include "lsm/file_names.h"

namespace firn::lsm {

Damage damage_of(const Status& status) {
  Damage damage;
  damage.status = status;
  damage.file = std::string(status.file());
  damage.offset = status.offset().value_or(0);
  return damage;
}

Result<Survey> survey(FileSystem& files, const std::string& directory) {
  auto contents = list_database(files, directory);
  if (contents.status().is_not_found()) {
    return Status(StatusCode::kNotADatabase, directory + ": no such directory");
  }
  if (!contents.ok()) return contents.status();
  Survey survey;
  survey.contents = *contents;
  auto current = load_current_manifest(files, directory, *contents);
  if (current.ok()) {
    survey.manifest = std::move(current).value();
    survey.complete = true;
    return survey;
  }
  const StatusCode code = current.status().code();
  if (code == StatusCode::kNotADatabase || code == StatusCode::kNewerFormat) return current.status();
  survey.damage.push_back(damage_of(current.status()));
  for (auto number = contents->manifests.rbegin(); number != contents->manifests.rend(); ++number) {
    Status damage;
    auto loaded = load_sound_edits(files, directory, *number, damage);
    if (loaded.status().code() == StatusCode::kNewerFormat) return loaded.status();
    const Status& found = loaded.ok() ? damage : loaded.status();
    if (!found.ok() && found.message() != current.status().message()) survey.damage.push_back(damage_of(found));
    if (!loaded.ok()) continue;
    survey.manifest = std::move(loaded).value();
    // The newest one, whole: only CURRENT is missing.
    survey.complete = damage.ok() && number == contents->manifests.rbegin() && !contents->has_current;
    break;
  }
  return survey;
}

}  // namespace firn::lsm
