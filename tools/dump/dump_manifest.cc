// Prints a manifest, edit by edit, also behind damage; then what the edits before any damage add up to.

#include <fmt/core.h>

#include <optional>
#include <string>

#include "lsm/manifest_format.h"
#include "lsm/manifest_state.h"
#include "platform/io.h"
#include "tools/dump/edit_text.h"
#include "tools/dump/source.h"
#include "tools/text/units.h"

namespace firn::tools {

namespace {

class ManifestDump {
 public:
  ManifestDump(const Source& source, Depth depth, Output& out)
      : source_(source), file_(source.bytes()), depth_(depth), out_(out) {}

  void run() {
    print_heading(source_, "manifest", out_);
    if (!read_header()) return;
    if (depth_ == Depth::kRows) {
      out_.begin_rows("edits", fmt::format("{:>10} {:>8} {:>8}  changes", "offset", "bytes", "edit"));
    }
    read_edits();
    if (depth_ == Depth::kRows) {
      out_.end_rows();
      out_.line("");
    }
    judge_end();
    print_state(state_, out_);
  }

 private:
  void damage(std::uint64_t offset, std::string_view detail) {
    out_.damage(Status::corruption(source_.path(), offset, detail));
  }

  bool read_header() {
    const auto decoded = lsm::decode_manifest_header(file_);
    out_.field("header_ok", decoded.has_value(), decoded ? "yes" : "no: damaged");
    if (!decoded) {
      damage(0, "no sound manifest header");
      return false;
    }
    const lsm::ManifestHeader& header = decoded->header;
    out_.field("format", header.version);
    out_.field("number", header.number);
    out_.field("database", hex64(header.database.high) + hex64(header.database.low));
    out_.field("base_edit", header.base_edit);
    const bool in_force = source_.manifest() && source_.manifest()->number == header.number;
    if (source_.manifest())
      out_.field("in_force", in_force, in_force ? "yes: CURRENT names it" : "no: CURRENT names another");
    if (header.version > lsm::kManifestFormatVersion) {
      out_.damage(
          Status(StatusCode::kNewerFormat, fmt::format("{}: manifest format version {}, this Firn reads up to {}",
                                                       source_.path(), header.version, lsm::kManifestFormatVersion)));
      return false;
    }
    if (source_.number() && *source_.number() != header.number) {
      damage(0, fmt::format("is manifest {} under another name", header.number));
    }
    header_ = header;
    chain_ = decoded->chain;
    return true;
  }

  void read_edits() {
    const std::uint64_t salt = wal::file_salt(header_.database, header_.number);
    std::uint64_t offset = lsm::kManifestHeaderBytes;
    // Bounds data that is made to look like edits everywhere.
    std::uint64_t budget = 4 * std::uint64_t{file_.size()} + (std::uint64_t{1} << 20);
    while (offset < file_.size()) {
      const auto bytes = lsm::edit_frame_bytes(file_, offset);
      if (bytes && gap_ && *bytes > budget) {
        damage(*gap_, "too much behind here looks like edits to search it");
        break;
      }
      if (bytes && gap_) budget -= *bytes;
      if (const auto framed = bytes ? lsm::decode_edit(file_, salt, offset) : std::nullopt) {
        if (gap_) close_gap(offset);
        take(*framed, offset);
        offset += framed->frame_bytes;
        continue;
      }
      if (!gap_) gap_ = offset;
      offset += lsm::kEditAlignment;
    }
  }

  // Each edit is durable before the next is written: a sound one behind a gap proves that there was one.
  void close_gap(std::uint64_t offset) {
    damage(*gap_, fmt::format("damaged edit; it was durable before the sound one at offset {} was written", offset));
    if (depth_ == Depth::kRows) {
      out_.line(fmt::format("{:>10} {:>8} -- damaged", *gap_, offset - *gap_));
      Json json;
      json["offset"] = *gap_;
      json["bytes"] = offset - *gap_;
      json["damaged"] = "no sound edit";
      out_.element(json);
    }
    gap_.reset();
    broken_ = true;
    chain_.reset();
  }

  void take(const lsm::FramedEdit& framed, std::uint64_t offset) {
    if (chain_ && framed.chain != *chain_) {
      damage(offset, fmt::format("edit {} does not follow the one before it", framed.number));
      broken_ = true;
    }
    chain_ = framed.next_chain;
    auto edit = lsm::decode_version_edit(framed.payload);
    if (!edit.ok()) {
      damage(offset, edit.status().message());
      broken_ = true;
      return;
    }
    edit->number = framed.number;
    if (!broken_) apply(*edit, offset);
    if (depth_ == Depth::kSummary) return;
    const std::string lead = fmt::format("{:>10} {:>8} {:>8} ", offset, framed.frame_bytes, framed.number);
    if (!out_.json()) return out_.wrapped(lead, edit_tokens(*edit, state_));
    Json json;
    json["offset"] = offset;
    json["bytes"] = framed.frame_bytes;
    json.update(edit_json(*edit, state_, out_));
    out_.element(json);
  }

  void apply(const lsm::VersionEdit& edit, std::uint64_t offset) {
    if (Status status = state_.check(edit); !status.ok()) {
      damage(offset, status.message());
      broken_ = true;
      return;
    }
    state_.apply(edit);
    ++edits_;
  }

  void judge_end() {
    out_.field("edit_count", edits_, count_text(edits_) + (broken_ ? " up to the first damage" : ""));
    if (edits_ == 0 && !broken_) damage(lsm::kManifestHeaderBytes, "the first edit is damaged");
    const std::uint64_t end = gap_.value_or(file_.size());
    const std::size_t last = file_.find_last_not_of('\0');
    const std::uint64_t used = last == Slice::npos ? 0 : last + 1;
    if (used > end) {
      out_.field("torn_bytes", used - end,
                 fmt::format("{} from byte {} on: an edit that was not finished", count_text(used - end), end));
    }
    // A CURRENT beside it may know that there was more.
    const auto text = read_file(source_.files(), join_path(source_.directory(), "CURRENT"), FileKind::kCurrent);
    const auto current = text.ok() ? lsm::decode_current(*text) : std::nullopt;
    if (!current || current->manifest != header_.number || current->database != header_.database || broken_) return;
    if (state_.edit_number < current->durable_edit) {
      damage(end, fmt::format("ends after edit {}; CURRENT says that edit {} was durable", state_.edit_number,
                              current->durable_edit));
    }
  }

  const Source& source_;
  const Slice file_;
  const Depth depth_;
  Output& out_;
  lsm::ManifestHeader header_;
  std::optional<std::uint32_t> chain_;  // Expected of the next edit; absent where it cannot be known.
  std::optional<std::uint64_t> gap_;    // Where the present run of bytes that are no edit began.
  bool broken_ = false;                 // state_ is as of the edit before the damage.
  std::uint64_t edits_ = 0;
  lsm::ManifestState state_;
};

}  // namespace

void dump_manifest(const Source& source, Depth depth, Output& out) { ManifestDump(source, depth, out).run(); }

}  // namespace firn::tools
