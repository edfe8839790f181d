#include "runtime/made_up_name.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

using sbx::runtime::kMadeUpNames;
using sbx::runtime::made_up_name;

namespace {

/// Two words of small letters, and perhaps one digit.
bool looks_right(const std::string& name, bool digit) {
  const std::size_t between = name.find('_');
  const std::string body = digit ? name.substr(0, name.size() - 1) : name;
  const bool letters = std::all_of(body.begin(), body.end(),
                                   [](char c) { return c == '_' || (c >= 'a' && c <= 'z'); });
  return letters && between != std::string::npos && between > 0 && between + 1 < body.size() &&
         body.find('_', between + 1) == std::string::npos &&
         digit == (name.back() >= '0' && name.back() <= '9');
}

}  // namespace

TEST_CASE("a name is two words; those after a collision have a digit") {
  const std::string id(64, 'a');
  CHECK(looks_right(made_up_name(id, 0), false));
  std::set<std::string> names;
  for (unsigned attempt = 1; attempt < kMadeUpNames; ++attempt) {
    const std::string name = made_up_name(id, attempt);
    CHECK(looks_right(name, true));
    names.insert(name);
  }
  CHECK(names.size() + 2 > kMadeUpNames - 1);
}

TEST_CASE("the same id gives the same name, others give others") {
  CHECK(made_up_name("abc", 0) == made_up_name("abc", 0));
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    names.insert(made_up_name(std::to_string(i), 0));
  }
  CHECK(names.size() > 900);  // of 8,000: 60 are drawn twice, give or take 8
}
