// batch, load, export.

#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>

#include "tools/firn/commands.h"
#include "tools/firn/progress.h"
#include "tools/firn/row_reader.h"
#include "tools/text/units.h"

namespace firn::tools {

namespace {

const std::map<std::string, RowFormat> kFormats{{"tsv", RowFormat::kTsv}, {"jsonl", RowFormat::kJsonl}};
const std::map<std::string, Durability> kDurabilities{{"none", Durability::kNone},
                                                      {"buffered", Durability::kBuffered},
                                                      {"periodic", Durability::kPeriodic},
                                                      {"sync", Durability::kSync}};

struct TransferArguments {
  std::string database;
  std::string file = "-";
  std::string format = "tsv";
  std::string durability = "periodic";
};

// Lines of a file, or of standard input for "-".
class Lines {
 public:
  explicit Lines(const std::string& path) {
    if (path == "-") return;
    std::error_code error;
    total_bytes_ = std::filesystem::file_size(path, error);
    if (error) total_bytes_ = 0;  // A pipe, say.
    file_.open(path, std::ios::binary);
    from_file_ = true;
  }
  bool opened() const { return !from_file_ || file_.is_open(); }
  bool next(std::string& line) {
    if (!std::getline(stream(), line)) return false;
    bytes_ += line.size() + 1;
    ++number_;
    return true;
  }
  bool failed() { return stream().bad(); }
  std::uint64_t number() const { return number_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t total_bytes() const { return total_bytes_; }

 private:
  std::istream& stream() { return from_file_ ? static_cast<std::istream&>(file_) : std::cin; }

  std::ifstream file_;
  bool from_file_ = false;
  std::uint64_t number_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

Status cannot_open(const std::string& file) {
  return Status(StatusCode::kIo, "cannot open " + file + " (does it exist, may you read it?)");
}

Status at_line(std::uint64_t number, const Status& status) {
  return Status(status.code(), "line " + std::to_string(number) + ": " + std::string(status.message()));
}

// Adds one line of `batch`: put TAB key TAB value, or delete TAB key.
Status add_operation(WriteBatch& batch, Family family, const std::string& line, const Session& session) {
  const std::size_t tab = line.find('\t');
  const std::string operation = line.substr(0, tab);
  const std::string rest = tab == std::string::npos ? std::string() : line.substr(tab + 1);
  if (operation == "put") {
    auto row = parse_row(rest, RowFormat::kTsv, session.options().hex);
    if (!row.ok()) return row.status();
    batch.put(family, row->key, row->value);
    return batch.status();
  }
  if (operation == "delete" && tab != std::string::npos && rest.find('\t') == std::string::npos) {
    auto key = session.bytes(rest);
    if (!key.ok()) return key.status();
    batch.erase(family, *key);
    return batch.status();
  }
  return Status(StatusCode::kInvalidArgument, R"(neither "put TAB key TAB value" nor "delete TAB key")");
}

ExitCode batch(const GlobalOptions& options, const TransferArguments& arguments) {
  Session session(options, "batch");
  Lines lines(arguments.file);
  if (!lines.opened()) return session.fail(cannot_open(arguments.file));
  if (session.open(arguments.database, Access::kCreate) == nullptr) return session.exit_code();
  const auto family = session.family(Access::kCreate);
  if (!family) return session.exit_code();
  WriteBatch batch;
  std::string line;
  while (lines.next(line)) {
    if (line.empty()) continue;
    if (Status status = add_operation(batch, *family, line, session); !status.ok()) {
      return session.fail("nothing was written", at_line(lines.number(), status));
    }
  }
  if (lines.failed()) return session.fail(Status(StatusCode::kIo, "cannot read " + arguments.file));
  if (interrupted()) return kExitInterrupted;
  if (Status status = session.db().write(batch); !status.ok()) return session.fail(status);
  return session.close();
}

class Load {
 public:
  Load(const GlobalOptions& options, const TransferArguments& arguments)
      : session_(options, "load"), arguments_(arguments), lines_(arguments.file) {}

  ExitCode run() {
    if (!lines_.opened()) return session_.fail(cannot_open(arguments_.file));
    if (session_.open(arguments_.database, Access::kCreate, kDurabilities.at(arguments_.durability)) == nullptr) {
      return session_.exit_code();
    }
    const auto family = session_.family(Access::kCreate);
    if (!family) return session_.exit_code();
    Progress progress("loading", lines_.total_bytes());
    const Status status = read_rows(*family, progress);
    const double seconds = progress.seconds();
    progress.clear();
    if (!status.ok()) {
      return session_.fail(fmt::format("stopped after {} rows, which are kept", count_text(written_)), status);
    }
    if (const ExitCode closed = session_.close(); closed != kExitDone) return closed;
    summarise(seconds);
    return interrupted() ? kExitInterrupted : kExitDone;
  }

 private:
  static constexpr std::uint32_t kRowsPerBatch = 512;
  static constexpr std::size_t kBytesPerBatch = std::size_t{256} << 10;

  Status read_rows(Family family, Progress& progress) {
    std::string line;
    while (!interrupted() && lines_.next(line)) {
      if (line.empty()) continue;
      auto row = parse_row(line, kFormats.at(arguments_.format), session_.options().hex);
      if (row.ok()) batch_.put(family, row->key, row->value);
      const Status& status = row.ok() ? batch_.status() : row.status();
      if (!status.ok()) {
        Status wrong = at_line(lines_.number(), status);
        if (Status written = write(); !written.ok()) return written;
        return wrong;
      }
      if (batch_.count() < kRowsPerBatch && batch_.bytes() < kBytesPerBatch) continue;
      if (Status written = write(); !written.ok()) return written;
      progress.update(written_, lines_.bytes());
    }
    if (lines_.failed()) return Status(StatusCode::kIo, "cannot read " + arguments_.file);
    return write();
  }

  // What is in the batch, without a row that broke a limit.
  Status write() {
    if (!batch_.status().ok() || batch_.empty()) return {};
    const std::uint32_t rows = batch_.count();
    if (Status status = session_.db().write(batch_); !status.ok()) return status;
    written_ += rows;
    batch_.clear();
    return {};
  }

  void summarise(double seconds) const {
    const double rate = static_cast<double>(written_) / std::max(seconds, 1e-6);
    if (session_.structured()) {
      print_json(
          Json{{"rows", written_}, {"bytes", lines_.bytes()}, {"seconds", seconds}, {"interrupted", interrupted()}});
    } else {
      fmt::print(stderr, "{}{} rows, {} in {:.2f} s ({} rows/s)\n", interrupted() ? "interrupted: " : "",
                 count_text(written_), bytes_text(lines_.bytes()), seconds,
                 count_text(static_cast<std::uint64_t>(rate)));
    }
  }

  Session session_;
  const TransferArguments& arguments_;
  Lines lines_;
  WriteBatch batch_;
  std::uint64_t written_ = 0;
};

ExitCode export_rows(const GlobalOptions& options, const TransferArguments& arguments) {
  GlobalOptions row_options = options;
  row_options.json = false;
  row_options.jsonl = options.json || options.jsonl || arguments.format == "jsonl";
  Session session(row_options, "export");
  if (session.open(arguments.database, Access::kRead) == nullptr) return session.exit_code();
  const auto family = session.family(Access::kRead);
  if (!family) return session.exit_code();
  Iterator rows = session.db().iterator(*family);
  Step step = Step::kEnd;
  std::string value;
  while (!interrupted() && (step = rows.next()) == Step::kEntry && (step = rows.copy_value(value)) == Step::kEntry) {
    session.print_row(rows.key(), value);
  }
  if (step == Step::kError) return session.fail(rows.status());
  return interrupted() ? kExitInterrupted : session.close();
}

CLI::App* add(Tool tool, const char* name, const char* help, const std::shared_ptr<TransferArguments>& arguments) {
  CLI::App* command = tool.app.add_subcommand(name, help);
  command->add_option("DB", arguments->database, "Database directory")->required();
  return command;
}

void add_format(CLI::App* command, const std::shared_ptr<TransferArguments>& arguments) {
  command->add_option("--format", arguments->format, "tsv (key TAB value) or jsonl")
      ->check(CLI::IsMember({"tsv", "jsonl"}))
      ->capture_default_str();
}

}  // namespace

void add_transfer_commands(Tool tool) {
  auto batched = std::make_shared<TransferArguments>();
  CLI::App* command =
      add(tool, "batch", "Write lines \"put TAB k TAB v\", \"delete TAB k\" as one atomic batch", batched);
  command->add_option("FILE", batched->file, "Input; - is standard input")->capture_default_str();
  command->callback([tool, batched] { tool.exit_code = batch(tool.options, *batched); });

  auto loaded = std::make_shared<TransferArguments>();
  command = add(tool, "load", "Write many rows from a file or standard input", loaded);
  command->add_option("FILE", loaded->file, "Input; - is standard input")->capture_default_str();
  add_format(command, loaded);
  command->add_option("--durability", loaded->durability, "none, buffered, periodic or sync")
      ->check(CLI::IsMember({"none", "buffered", "periodic", "sync"}))
      ->capture_default_str();
  command->callback([tool, loaded] { tool.exit_code = Load(tool.options, *loaded).run(); });

  auto exported = std::make_shared<TransferArguments>();
  command = add(tool, "export", "Print every row, so that load reads it back byte by byte", exported);
  add_format(command, exported);
  command->callback([tool, exported] { tool.exit_code = export_rows(tool.options, *exported); });
}

}  // namespace firn::tools
