// Short words for tests of files.
//
// Thread safety: as the files passed in.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "firn/file_system.h"
#include "platform/io.h"

namespace firn::testing {

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string text_of(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// The contents, or "<" status ">".
inline std::string contents(FileSystem& files, const std::string& path) {
  const Result<std::string> read = read_file(files, path);
  return read.ok() ? *read : "<" + read.status().to_string() + ">";
}

inline bool exists(FileSystem& files, const std::string& path) {
  return files.open(path, OpenMode::kRead, FileKind::kOther).ok();
}

inline std::unique_ptr<File> create(FileSystem& files, const std::string& path, std::string_view text = {}) {
  Result<std::unique_ptr<File>> file = files.open(path, OpenMode::kCreate, FileKind::kTable);
  EXPECT_TRUE(file.ok()) << file.status().to_string();
  const Status written = write_all(**file, 0, bytes_of(text));
  EXPECT_TRUE(written.ok()) << written.to_string();
  return std::move(file).value();
}

// Appends through the mapping or the staging buffer.
inline Status publish(LogFile& log, std::string_view text) {
  const std::span<std::byte> room = log.reserve(text.size());
  if (room.size() != text.size()) return Status(StatusCode::kInvalidArgument, "no room");
  for (std::size_t i = 0; i < text.size(); ++i) room[i] = static_cast<std::byte>(text[i]);
  return log.publish(text.size());
}

}  // namespace firn::testing

#define EXPECT_OK(expression)                                                   \
  do {                                                                          \
    const ::firn::Status status_of_expression = (expression);                   \
    EXPECT_TRUE(status_of_expression.ok()) << status_of_expression.to_string(); \
  } while (false)
