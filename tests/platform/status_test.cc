#include "firn/status.h"

#include <gtest/gtest.h>

#include <memory>

namespace firn {
namespace {

TEST(Status, DefaultIsOk) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kOk);
  EXPECT_EQ(status.to_string(), "ok");
}

TEST(Status, CorruptionNamesFileAndOffset) {
  const Status status = Status::corruption("/db/7.table", 4096, "checksum 1, expected 2");
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_EQ(status.file(), "/db/7.table");
  EXPECT_EQ(status.offset(), 4096u);
  EXPECT_EQ(status.to_string(), "corruption: /db/7.table: offset 4096: checksum 1, expected 2");
}

TEST(Status, OtherErrorsNameNoFile) {
  const Status status(StatusCode::kIo, "sync /db/LOG: device gone");
  EXPECT_EQ(status.file(), "");
  EXPECT_FALSE(status.offset().has_value());
}

TEST(Status, CopiesAreIndependent) {
  Status original(StatusCode::kBusy, "held");
  Status copy = original;
  original = Status();
  EXPECT_TRUE(original.ok());
  EXPECT_EQ(copy.message(), "held");
  Status& self = copy;
  copy = self;
  EXPECT_EQ(copy.message(), "held");
  const Status moved = std::move(copy);
  EXPECT_EQ(moved.message(), "held");
}

TEST(Status, NotFoundIsShared) {
  const Status status = Status::not_found();
  const Status copy = status;
  EXPECT_TRUE(copy.is_not_found());
  EXPECT_EQ(copy.message(), "");
  EXPECT_EQ(copy.to_string(), "not found");
}

TEST(Status, OkNeverCarriesAMessage) { EXPECT_TRUE(Status(StatusCode::kOk, "ignored").ok()); }

TEST(Result, HoldsAValueOrTheReasonWhyNot) {
  Result<std::unique_ptr<int>> value = std::make_unique<int>(7);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(**value, 7);
  const std::unique_ptr<int> taken = std::move(value).value();
  EXPECT_EQ(*taken, 7);

  Result<int> failed = Status::not_found();
  EXPECT_FALSE(failed.ok());
  const Status status = std::move(failed);
  EXPECT_TRUE(status.is_not_found());
}

TEST(StatusCode, EachHasItsName) {
  for (int code = 0; code <= static_cast<int>(StatusCode::kOutOfMemory); ++code) {
    EXPECT_NE(status_code_name(static_cast<StatusCode>(code)), "unknown") << code;
  }
}

}  // namespace
}  // namespace firn
