// Properties for the tests of codecs: how many cases, and generators that favour the edges. FIRN_TEST_CASES scales the
// cases (tests/support/cases.h): 100000, a percentage, is a million for each property. RC_PARAMS sets the seed.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <utility>

#include "tests/support/cases.h"

namespace firn::codec {

// Checks `property` (it draws what it needs and uses RC_ASSERT) as a part of the running test, `count` times.
template <class Property>
void expect_fewer_cases(std::uint64_t count, Property&& property) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = static_cast<int>(testing::cases(count));
  params.maxDiscardRatio = 1000;
  const auto result = rc::detail::checkTestable(std::forward<Property>(property), rc::detail::TestMetadata{}, params);
  if (result.template is<rc::detail::SuccessResult>()) return;
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  ADD_FAILURE() << message.str() << "\nTo repeat it: RC_PARAMS=seed=" << params.seed;
}

template <class Property>
void expect_property(Property&& property) {
  expect_fewer_cases(1000, std::forward<Property>(property));
}

// RapidCheck narrows ranges and containers with the size of a case, which starts at nothing; these do not.
template <class T>
rc::Gen<T> range_gen(T first, T end) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(first, end));
}

// A container of 0 to `size_max` elements.
template <class Container, class T>
rc::Gen<Container> list_gen(std::size_t size_max, rc::Gen<T> element) {
  return rc::gen::mapcat(range_gen<std::size_t>(0, size_max + 1),
                         [element](std::size_t size) { return rc::gen::container<Container>(size, element); });
}

// Byte strings: short ones of telling bytes, arbitrary ones, and ones that share a long beginning.
inline rc::Gen<std::string> bytes_gen() {
  const auto telling = rc::gen::element<char>('\x00', '\x01', '\x02', 'a', 'b', '\x7F', '\x80', '\xFE', '\xFF');
  const auto edges = list_gen<std::string>(6, telling);
  return rc::gen::oneOf(
      rc::gen::just(std::string()), edges, list_gen<std::string>(40, range_gen<char>('\x80', '\x7F')),
      rc::gen::map(edges, [](std::string tail) { return std::string(200, '\xC3') + std::move(tail); }),
      rc::gen::map(edges, [](std::string tail) { return std::string(20, '\0') + std::move(tail); }));
}

// Integers: powers of two and their neighbours, small ones, arbitrary bits.
inline rc::Gen<std::uint64_t> bits_gen() {
  return rc::gen::oneOf(rc::gen::map(rc::gen::pair(range_gen(0, 64), range_gen(-2, 3)),
                                     [](std::pair<int, int> power) {
                                       return (std::uint64_t{1} << power.first) +
                                              static_cast<std::uint64_t>(std::int64_t{power.second});
                                     }),
                        rc::gen::map(range_gen(0, 20), [](int value) { return static_cast<std::uint64_t>(value); }),
                        rc::gen::map(rc::gen::pair(range_gen<std::uint64_t>(0, UINT64_MAX), range_gen(0, 64)),
                                     [](std::pair<std::uint64_t, int> value) { return value.first >> value.second; }));
}

inline rc::Gen<std::int64_t> integer_gen() {
  return rc::gen::map(rc::gen::pair(bits_gen(), rc::gen::arbitrary<bool>()), [](std::pair<std::uint64_t, bool> value) {
    return static_cast<std::int64_t>(value.second ? 0 - value.first : value.first);
  });
}

}  // namespace firn::codec
