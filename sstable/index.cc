#include "sstable/index.h"

#include <algorithm>
#include <utility>

namespace firn::sstable {

namespace {

// Sizes of the layers over `heads` heads, in nodes, bottom first.
std::vector<std::uint64_t> layer_nodes(std::uint64_t heads) {
  std::vector<std::uint64_t> nodes;
  do {
    heads = (heads + kNodeHeads - 1) / kNodeHeads;
    nodes.push_back(heads);
  } while (heads > 1);
  return nodes;
}

// Whether heads say all there is to say about a separator, given its bytes after the prefix.
bool is_exact(Slice rest, std::uint32_t planes) {
  return rest.empty() || (rest.size() <= 8 * std::size_t{planes} && rest.back() != '\0');
}

void pad(std::string& out, std::size_t start) { out.resize(start + round_up(out.size() - start, kSectionAlignment)); }

template <class T>
void append_array(std::string& out, const std::vector<T>& values) {
  if (!values.empty()) out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// Appends the layers of nodes over `heads`, top first.
void append_fences(std::string& out, std::vector<std::uint64_t> heads) {
  if (heads.empty()) return;
  std::vector<std::vector<std::uint64_t>> layers = {std::move(heads)};
  while (true) {
    std::vector<std::uint64_t>& below = layers.back();
    below.resize(round_up(below.size(), kNodeHeads), UINT64_MAX);
    if (below.size() == kNodeHeads) break;
    std::vector<std::uint64_t> above;
    for (std::size_t i = kNodeHeads - 1; i < below.size(); i += kNodeHeads) above.push_back(below[i]);
    layers.push_back(std::move(above));
  }
  for (std::size_t i = layers.size(); i-- > 0;) append_array(out, layers[i]);
}

}  // namespace

std::string_view Index::open(Slice section, std::uint64_t data_bytes) {
  if (section.size() < kIndexHeaderBytes) return "index is shorter than its header";
  blocks_ = load<std::uint32_t>(section.data() + kIndexBlocksOffset);
  plane_count_ = load<std::uint32_t>(section.data() + kIndexPlanesOffset);
  if (blocks_ == 0 || blocks_ >= kAfterAll) return "index has an impossible number of blocks";
  if (plane_count_ == 0 || plane_count_ > kPlanesMax) return "index has an impossible number of planes";
  separators_ = blocks_ - 1;
  const std::string_view problem = lay_out(section);
  return problem.empty() ? check_arrays(data_bytes) : problem;
}

std::string_view Index::lay_out(Slice section) {
  const auto prefix_bytes = load<std::uint32_t>(section.data() + kIndexPrefixBytesOffset);
  const auto flags = load<std::uint32_t>(section.data() + kIndexFlagsOffset);
  const auto separator_bytes = load<std::uint64_t>(section.data() + kIndexSeparatorBytesOffset);
  if ((flags & ~kFullSeparators) != 0) return "index has unknown flags";
  if (prefix_bytes > section.size() || separator_bytes > section.size()) return "index is longer than its section";

  std::uint64_t at = kIndexHeaderBytes;
  const auto take = [&](std::uint64_t bytes) {
    const char* const field = at <= section.size() ? section.data() + at : nullptr;
    at += round_up(bytes, kSectionAlignment);
    return field;
  };
  const std::vector<std::uint64_t> nodes = layer_nodes(separators_);
  layer_count_ = nodes.size();
  for (std::size_t i = 0; i < layer_count_; ++i) {
    const std::size_t from_bottom = layer_count_ - 1 - i;
    layers_[i].nodes = take(kNodeBytes * nodes[from_bottom]);
    layers_[i].last = from_bottom == 0 ? 0 : static_cast<std::uint32_t>(nodes[from_bottom - 1] - 1);
  }
  planes_[0] = bottom();
  for (std::uint32_t i = 1; i < plane_count_; ++i) planes_[i] = take(8 * std::uint64_t{separators_});
  offsets_ = take(4 * (std::uint64_t{blocks_} + 1));
  checksums_ = take(8 * std::uint64_t{blocks_});
  separator_ends_ = (flags & kFullSeparators) != 0 ? take(8 * std::uint64_t{separators_}) : nullptr;
  const char* const bytes = take(prefix_bytes + separator_bytes);
  if (at != section.size()) return "index does not have the size of its parts";
  if (separator_ends_ == nullptr && separator_bytes != 0) return "index has separators without ends";
  prefix_ = {bytes, prefix_bytes};
  separator_bytes_ = {bytes + prefix_bytes, separator_bytes};
  ties_possible_ = plane_count_ > 1 || separator_ends_ != nullptr;
  return {};
}

std::string_view Index::check_arrays(std::uint64_t data_bytes) const {
  if (block_offset(0) != 0 || block_offset(blocks_) != data_bytes) return "index does not cover the data";
  for (std::uint32_t i = 0; i < blocks_; ++i) {
    if (block_offset(i) >= block_offset(i + 1)) return "index has blocks out of order";
  }
  if (separator_ends_ == nullptr) return {};
  std::uint64_t last = 0;
  for (std::uint32_t i = 0; i < separators_; ++i) {
    const auto end = load<std::uint64_t>(separator_ends_ + 8 * std::size_t{i});
    if (end < last || end > separator_bytes_.size()) return "index has a separator outside its bounds";
    last = end;
  }
  return last == separator_bytes_.size() ? std::string_view() : "index has bytes after its last separator";
}

Slice Index::stored_separator(std::uint32_t i) const {
  if (separator_ends_ == nullptr) return {};
  const std::uint64_t begin = i == 0 ? 0 : load<std::uint64_t>(separator_ends_ + 8 * std::size_t{i - 1});
  return separator_bytes_.substr(begin, load<std::uint64_t>(separator_ends_ + 8 * std::size_t{i}) - begin);
}

// `count` separators have a head not above the key's, the last of them an equal one: narrows the tie plane by plane,
// then by full comparison.
std::uint32_t Index::locate_tied(Slice key, std::uint32_t count) const {
  std::uint32_t low = 0;
  std::uint32_t high = count;
  for (std::uint32_t p = 0; p < plane_count_; ++p) {
    const std::uint64_t head = key_head(key, prefix_.size() + 8 * std::size_t{p});
    const auto partition = [&](std::uint32_t begin, std::uint32_t end, auto before) {
      while (begin < end) {
        const std::uint32_t middle = begin + (end - begin) / 2;
        if (before(plane(p, middle))) {
          begin = middle + 1;
        } else {
          end = middle;
        }
      }
      return begin;
    };
    if (p > 0) high = partition(low, high, [&](std::uint64_t other) { return other <= head; });
    low = partition(low, high, [&](std::uint64_t other) { return other < head; });
    if (low == high) return high;
  }
  const Slice rest = key.substr(prefix_.size());
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const Slice stored = stored_separator(middle);
    if (stored.empty() || rest >= stored) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return high;
}

std::string Index::separator(std::uint32_t i) const {
  std::string out(prefix_);
  const Slice stored = stored_separator(i);
  if (!stored.empty()) return out.append(stored);
  for (std::uint32_t p = 0; p < plane_count_; ++p) append_fixed(out, __builtin_bswap64(plane(p, i)));
  while (out.size() > prefix_.size() && out.back() == '\0') out.pop_back();
  return out;
}

void IndexBuilder::begin_block(std::uint64_t offset, Slice separator) {
  if (!offsets_.empty()) {
    separators_.append(separator);
    separator_ends_.push_back(separators_.size());
  }
  offsets_.push_back(static_cast<std::uint32_t>(offset / kSectionAlignment));
}

Slice IndexBuilder::separator(std::size_t i) const {
  const std::uint64_t begin = i == 0 ? 0 : separator_ends_[i - 1];
  return Slice(separators_).substr(begin, separator_ends_[i] - begin);
}

std::uint64_t IndexBuilder::estimated_bytes() const {
  return kIndexHeaderBytes + offsets_.size() * (4 + 8 + 8 + 8) + separators_.size();
}

// As few as leave less than one in a hundred separators with the heads of its neighbour.
std::uint32_t IndexBuilder::choose_planes(std::size_t prefix_bytes) const {
  for (std::uint32_t planes = 1; planes < kPlanesMax; ++planes) {
    const std::size_t head_bytes = 8 * std::size_t{planes};
    std::size_t ties = 0;
    for (std::size_t i = 1; i < separator_ends_.size(); ++i) {
      ties +=
          separator(i - 1).substr(prefix_bytes, head_bytes) == separator(i).substr(prefix_bytes, head_bytes) ? 1 : 0;
    }
    if (100 * ties <= separator_ends_.size()) return planes;
  }
  return kPlanesMax;
}

void IndexBuilder::finish(std::uint64_t data_end, std::string& out) const {
  const std::size_t start = out.size();
  const std::size_t count = separator_ends_.size();
  const std::size_t prefix_bytes = count == 0 ? 0 : common_prefix_bytes(separator(0), separator(count - 1));
  const std::uint32_t planes = choose_planes(prefix_bytes);
  std::vector<std::uint64_t> heads(count);
  std::string full;
  std::vector<std::uint64_t> full_ends(count);
  for (std::size_t i = 0; i < count; ++i) {
    heads[i] = key_head(separator(i), prefix_bytes);
    const Slice rest = separator(i).substr(prefix_bytes);
    if (!is_exact(rest, planes)) full.append(rest);
    full_ends[i] = full.size();
  }

  append_fixed(out, static_cast<std::uint32_t>(offsets_.size()));
  append_fixed(out, planes);
  append_fixed(out, static_cast<std::uint32_t>(prefix_bytes));
  append_fixed(out, full.empty() ? 0U : kFullSeparators);
  append_fixed(out, static_cast<std::uint64_t>(full.size()));
  pad(out, start);

  append_fences(out, std::move(heads));
  for (std::uint32_t p = 1; p < planes; ++p) {
    for (std::size_t i = 0; i < count; ++i)
      append_fixed(out, key_head(separator(i), prefix_bytes + 8 * std::size_t{p}));
    pad(out, start);
  }
  append_array(out, offsets_);
  append_fixed(out, static_cast<std::uint32_t>(data_end / kSectionAlignment));
  pad(out, start);
  append_array(out, checksums_);
  pad(out, start);
  if (!full.empty()) append_array(out, full_ends);
  pad(out, start);
  if (count != 0) out.append(separator(0).substr(0, prefix_bytes));
  out.append(full);
  pad(out, start);
}

}  // namespace firn::sstable
