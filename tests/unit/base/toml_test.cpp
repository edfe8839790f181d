#include "base/toml.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::Json;
using sbx::parse_toml;

TEST_CASE("TOML becomes JSON of the same meaning") {
  const auto parsed = parse_toml(R"(
# a comment with [brackets
list = ["a", 'b.c.d', """x
y"""]
truth = true
number = -3
half = 0.5
day = 2024-02-29
moment = 2024-02-29T01:02:03Z
[table]
"quoted.key" = "v"
dotted.key = 1
[[item]]
name = "one"
[[item.part]]
n = 1
[[item]]
name = "two"
)",
                                 "f.conf");
  REQUIRE(parsed);
  CHECK(*parsed ==
        Json::parse(R"({"list": ["a", "b.c.d", "x\ny"], "truth": true, "number": -3, "half": 0.5,
          "day": "2024-02-29", "moment": "2024-02-29T01:02:03Z",
          "table": {"quoted.key": "v", "dotted": {"key": 1}},
          "item": [{"name": "one", "part": [{"n": 1}]}, {"name": "two"}]})"));
  CHECK(*parse_toml("", "f") == Json::object());
}

TEST_CASE("what is wrong in TOML is said with its line") {
  const auto message = [](std::string_view text) {
    const auto parsed = parse_toml(text, "/etc/f.conf");
    return parsed ? std::string("accepted") : parsed.error().message();
  };
  CHECK(message("a = 1\nb = \n").find("cannot read '/etc/f.conf': line 2: ") == 0);
  CHECK(message("a = 1\na = 2\n").find("line 2: ") != std::string::npos);
  CHECK(message("a = \"open").find("line 1: ") != std::string::npos);
  CHECK(message("[t]\n[t]\n").find("line 2: ") != std::string::npos);
  CHECK(message("a = '\xff'").find("line 1: ") != std::string::npos);
  CHECK(message("a = \x01").find("line 1: ") != std::string::npos);
}

TEST_CASE("letters beyond ASCII are for strings and comments") {
  const auto parsed = parse_toml(
      "\xef\xbb\xbf"
      "a = \"\xc3\xa9\" # \xc3\xa9\nb = '\xc3\xa9'\nc = \"\"\"\"\xc3\xa9\"\"\"\"\"\n",
      "f");
  REQUIRE(parsed);
  CHECK((*parsed)["a"] == "\xc3\xa9");
  CHECK((*parsed)["b"] == "\xc3\xa9");
  CHECK((*parsed)["c"] == "\"\xc3\xa9\"\"");
  const auto reason = [](std::string_view text) {
    const auto refused = parse_toml(text, "f");
    return refused ? std::string("accepted") : refused.error().reason;
  };
  CHECK(reason("a = 1\n\xc3\xa9 = 2\n").find("line 2: a letter") == 0);
  CHECK(reason("a = 1 \xc2\xa0\n").find("line 1: a letter") == 0);
  CHECK(reason("a = \"\"\"x\"\"\"\"\"\xc3\xa9\n").find("line 1: a letter") == 0);
  CHECK(reason("a = \"\"\"x \\\n  \xc3\xa9\"\"\"\n").find("line 2: a letter") == 0);
  CHECK(reason("a = 1979-05-\"\xc3\xa9\"\n").find("line 1: a letter") == 0);
  CHECK(reason("a = 44[\"\xc3\xa9\"]\n").find("line 1: a letter") == 0);
  CHECK(reason("a = \"\\\xc3\xa9\"\n").find("line 1: a letter") == 0);
  CHECK(parse_toml(
      "\xef\xbb\xbf[t.\"\xc3\xa9\"]\na=[\"\xc3\xa9\",'\xc3\xa9']\nb={x=\"\xc3\xa9\"}\n", "x"));
  CHECK(reason("a = \"\"\"x \\\n  y\"\"\"\n") == "accepted");
}

TEST_CASE("TOML has limits in bytes, depth and values") {
  const auto code = [](const std::string& text) {
    const auto parsed = parse_toml(text, "f");
    return parsed ? std::optional<ErrorCode>() : parsed.error().code;
  };
  CHECK(code(std::string((1U << 20U) + 1, '\n')) == ErrorCode::kLimit);
  CHECK_FALSE(code(std::string(1U << 20U, '\n')));
  CHECK_FALSE(code("a = " + std::string(15, '[') + std::string(15, ']')));
  CHECK(code("a = " + std::string(17, '[') + std::string(17, ']')) == ErrorCode::kLimit);
  CHECK(code("a = " + std::string(500'000, '[')) == ErrorCode::kLimit);
  std::string dotted = "a";
  for (int i = 0; i < 300'000; ++i) {
    dotted += ".a";
  }
  CHECK(code(dotted + " = 1") == ErrorCode::kLimit);
  CHECK(code("[" + dotted + "]") == ErrorCode::kLimit);
  CHECK(code("a = { " + dotted + " = 1 }") == ErrorCode::kLimit);
  std::string many = "a = [";
  for (int i = 0; i < 10'000; ++i) {
    many += "1.5,";
  }
  CHECK(code(many + "]") == ErrorCode::kLimit);
  CHECK_FALSE(code("a = ['" + std::string(1000, '.') + "', \"" + std::string(1000, '[') + "\"]"));
}
