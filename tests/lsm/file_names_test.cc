#include "lsm/file_names.h"

#include <gtest/gtest.h>

#include <string>

namespace firn::lsm {

namespace {

TEST(FileNames, ArePaddedToSixDigits) {
  EXPECT_EQ(table_path("/db", 7), "/db/000007.table");
  EXPECT_EQ(segment_path("/db", 123456), "/db/123456.log");
  EXPECT_EQ(segment_path("/db", 1234567), "/db/1234567.log");
  EXPECT_EQ(manifest_path("/db", 3), "/db/MANIFEST-000003");
  EXPECT_EQ(current_path("/db"), "/db/CURRENT");
  EXPECT_EQ(lock_path("/db"), "/db/LOCK");
}

TEST(FileNames, AreReadBack) {
  for (const std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{999999}, std::uint64_t{1000000}, UINT64_MAX}) {
    EXPECT_EQ(parse_file_name(table_path("", number)), (FileName{NameKind::kTable, number}));
    EXPECT_EQ(parse_file_name(value_path("", number)), (FileName{NameKind::kValues, number}));
    EXPECT_EQ(parse_file_name(segment_path("", number)), (FileName{NameKind::kLog, number}));
    EXPECT_EQ(parse_file_name(manifest_name(number)), (FileName{NameKind::kManifest, number}));
  }
  EXPECT_EQ(parse_file_name("CURRENT"), (FileName{NameKind::kCurrent, 0}));
  EXPECT_EQ(parse_file_name("LOCK"), (FileName{NameKind::kLock, 0}));
  EXPECT_EQ(parse_file_name("CURRENT.tmp"), (FileName{NameKind::kTemporary, 0}));
  EXPECT_EQ(parse_file_name("000012.table.tmp"), (FileName{NameKind::kTemporary, 12}));
}

TEST(FileNames, OfOthersAreNone) {
  for (const char* name : {"",
                           ".",
                           "..",
                           "7.table",
                           "0000007.table",
                           "00000a.table",
                           "-00001.log",
                           "+00001.log",
                           " 000001.log",
                           "000001.LOG",
                           "000001.log ",
                           "000001.log.bak",
                           "MANIFEST",
                           "MANIFEST-",
                           "MANIFEST-1",
                           "MANIFEST-000001x",
                           "CURRENT~",
                           "lock",
                           ".tmp",
                           "LOCK.tmp.tmp",
                           "99999999999999999999.log",
                           "000001",
                           "notes.txt"}) {
    EXPECT_FALSE(parse_file_name(name).has_value()) << name;
  }
}

}  // namespace

}  // namespace firn::lsm
