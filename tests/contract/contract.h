// The fixture of the contract's tests: a database of the kind under test, and short words for what is done to it.
// Reads are rendered as text, so that a test compares one string: rows as "key=value", outcomes as "end", "error".
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "firn/db.h"
#include "tests/contract/backend.h"

namespace firn::testing {

inline std::string text(const Status& status) {
  return status.is_not_found() ? "not found" : std::string(status_code_name(status.code()));
}

template <class T>
std::string text(const Result<T>& result) {
  if (!result.ok()) return text(result.status());
  if constexpr (std::is_same_v<T, PinnedValue>) {
    return result->to_string();
  } else {
    return *result;
  }
}

// The outcome of a move, with the entry if there is one.
inline std::string text(const Iterator& it, Step step) {
  switch (step) {
    case Step::kEntry: return std::string(it.key()) + "=" + std::string(it.value());
    case Step::kEnd: return "end";
    case Step::kError: break;
  }
  return "error: " + text(it.status());
}

// Every entry from first to last, or from last to first, blank after each; then "error" if it did not end well.
inline std::string forward(Iterator it) {
  std::string rows;
  Step step = it.seek_to_first();
  for (; step == Step::kEntry; step = it.next()) rows += text(it, step) + " ";
  return step == Step::kEnd ? rows : rows + text(it, step);
}

inline std::string backward(Iterator it) {
  std::string rows;
  Step step = it.seek_to_last();
  for (; step == Step::kEntry; step = it.prev()) rows += text(it, step) + " ";
  return step == Step::kEnd ? rows : rows + text(it, step);
}

class ContractTest : public ::testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override {
    backend_ = GetParam().make();
    open();
  }

  void open() {
    auto opened = backend_->open();
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    db_ = std::move(opened).value();
  }
  // What a program that ends and starts again sees. Only for persistent backends.
  void reopen() {
    ASSERT_EQ(text(db_->close()), "ok");
    db_.reset();
    open();
  }

  DB& db() { return *db_; }
  Backend& backend() { return *backend_; }
  void destroy_db() { db_.reset(); }
  void settle() { ASSERT_EQ(backend_->settle(*db_).to_string(), "ok"); }

  Sequence put(Slice key, Slice value) { return put(kDefaultFamily, key, value); }
  Sequence put(Family family, Slice key, Slice value) { return done(db_->put(family, key, value)); }
  Sequence erase(Slice key) { return erase(kDefaultFamily, key); }
  Sequence erase(Family family, Slice key) { return done(db_->erase(family, key)); }
  Sequence write(const WriteBatch& batch) { return done(db_->write(batch)); }
  // Writes each character of `keys` as a key, with the value in upper case.
  void put_each(Slice keys) {
    for (const char key : keys) put(Slice(&key, 1), std::string(1, static_cast<char>(std::toupper(key))));
  }
  Family create(const std::string& name) {
    auto family = db_->create_family(name);
    EXPECT_TRUE(family.ok()) << family.status().to_string();
    return family.ok() ? *family : kDefaultFamily;
  }

  std::string get(Slice key, const ReadOptions& options = {}) { return text(db_->get(key, options)); }
  std::string get(Family family, Slice key, const ReadOptions& options = {}) {
    return text(db_->get(family, key, options));
  }
  std::string all(Family family = kDefaultFamily) { return forward(db_->iterator(family)); }

 private:
  static Sequence done(const Result<Sequence>& result) {
    EXPECT_TRUE(result.ok()) << result.status().to_string();
    return result.ok() ? *result : 0;
  }

  std::unique_ptr<Backend> backend_;
  std::unique_ptr<DB> db_;
};

inline std::string kind_name(const ::testing::TestParamInfo<BackendKind>& info) { return info.param.name; }

// Runs the tests of `fixture` on every backend.
#define FIRN_CONTRACT(fixture) INSTANTIATE_TEST_SUITE_P(All, fixture, ::testing::ValuesIn(all_backends()), kind_name)

}  // namespace firn::testing
