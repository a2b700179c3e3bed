#include "lsm/replaced_share.h"

#include <algorithm>
#include <map>
#include <memory>

#include "codec/key_hash.h"
#include "platform/epoch.h"

namespace firn::lsm {

namespace {

// Evenly spread, and at least one of each table. The share is then within 0.06 of the truth 19 times in 20.
constexpr std::uint64_t kKeys = 256;

class Sampler {
 public:
  explicit Sampler(const Version& version) : version_(version) {}

  // Asks for some keys of `file`, which is the table of `run`. `keys`: how many.
  Status sample(std::size_t run, const TableFile& file, std::uint64_t keys) {
    const auto table = open(file);
    if (!table.ok()) return table.status();
    const std::uint64_t blocks = (*table)->blocks();
    keys = std::min(keys, blocks);
    for (std::uint64_t i = 0; i < keys; ++i) {
      const auto block = (*table)->block_info(static_cast<std::uint32_t>((2 * i + 1) * blocks / (2 * keys)));
      if (!block.ok()) return block.status();
      if (Status status = ask(run, block->first_key); !status.ok()) return status;
    }
    return {};
  }
  double share() const { return asked_ == 0 ? 0 : static_cast<double>(replaced_) / static_cast<double>(asked_); }

 private:
  Result<Table*> open(const TableFile& file) {
    std::shared_ptr<Table>& table = tables_[&file];
    if (table == nullptr) {
      auto opened = file.open_for_job();
      if (!opened.ok()) return opened.status();
      table = std::move(opened).value();
    }
    return table.get();
  }

  Status ask(std::size_t run, Slice key) {
    ++asked_;
    const std::uint64_t head = version_.head(key);
    for (std::size_t below = run + 1; below < version_.runs(); ++below) {
      const TableFile* const file = version_.find(below, head, key);
      if (file == nullptr) continue;
      const auto table = open(*file);
      if (!table.ok()) return table.status();
      const EpochGuard guard;
      TableHit hit;
      if (Status status = (*table)->get(guard, key, key_hash(key), kSequenceMax, hit); !status.ok()) return status;
      if (!hit.found) continue;
      ++replaced_;
      break;
    }
    return {};
  }

  const Version& version_;
  std::map<const TableFile*, std::shared_ptr<Table>> tables_;
  std::uint64_t asked_ = 0;
  std::uint64_t replaced_ = 0;
};

}  // namespace

double replaced_share(const Version& version) {
  struct Above {
    std::size_t run = 0;
    const TableFile* file = nullptr;
  };
  std::vector<Above> above;
  std::uint64_t entries = 0;
  std::size_t run = 0;
  for (int level = 0; level + 1 < kLevelCount; ++level) {
    for (const auto& table : version.level(level)) {
      above.push_back({run, table.get()});
      entries += table->meta().entries;
      run += level == 0 ? 1 : 0;
    }
    run += level > 0 && !version.level(level).empty() ? 1 : 0;
  }
  Sampler sampler(version);
  for (const Above& at : above) {
    const std::uint64_t keys = (kKeys * at.file->meta().entries + entries - 1) / std::max<std::uint64_t>(entries, 1);
    if (!sampler.sample(at.run, *at.file, keys).ok()) return 0;
  }
  return sampler.share();
}

}  // namespace firn::lsm
