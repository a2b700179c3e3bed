// The worked examples of docs/formats.md, so that the document can't drift from the code.
//
// An example is a block fenced by "```hex NAME" or "```text NAME". In a hex block each line is "offset: bytes  what
// they are", offset in decimal, bytes as pairs of hexadecimal digits; what no line covers is zero.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

namespace firn::testing {

// The lines of the block that is fenced by "```" `fence`.
inline std::string documented_text(const std::string& fence) {
  std::ifstream document(FIRN_FORMATS_DOCUMENT);
  EXPECT_TRUE(document.is_open()) << FIRN_FORMATS_DOCUMENT;
  std::string text;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line.rfind("```", 0) == 0) {
      inside = line == "```" + fence;
    } else if (inside) {
      text += line + "\n";
    }
  }
  EXPECT_NE(text, "") << "no example " << fence << " in " << FIRN_FORMATS_DOCUMENT;
  return text;
}

// The bytes of hex block `name`, `size` of them.
inline std::string documented_hex(const std::string& name, std::size_t size) {
  std::string bytes(size, '\0');
  std::istringstream lines(documented_text("hex " + name));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find("  ")));
    std::size_t offset = 0;
    char colon = 0;
    words >> offset >> colon;
    EXPECT_EQ(colon, ':') << line;
    for (std::string word; words >> word; ++offset) {
      EXPECT_LT(offset, size) << line;
      if (offset < size) bytes[offset] = static_cast<char>(std::stoi(word, nullptr, 16));
    }
  }
  return bytes;
}

// `bytes` in the document's form, eight on a line, lines of zeros left out: to be pasted when a format changes.
inline std::string as_documented(const std::string& bytes) {
  std::ostringstream out;
  for (std::size_t offset = 0; offset < bytes.size(); offset += 8) {
    const std::string line = bytes.substr(offset, 8);
    if (line == std::string(line.size(), '\0')) continue;
    out << offset << ":";
    for (const char byte : line) {
      char digits[4];
      std::snprintf(digits, sizeof digits, " %02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
      out << digits;
    }
    out << "\n";
  }
  return out.str();
}

}  // namespace firn::testing
