#include "cli/command_line.hpp"

#include <catch2/catch.hpp>

using sbx::cli::CommandLine;
using sbx::cli::Words;

namespace {

struct Parsed {
  bool flag = false;
  std::optional<bool> init;
  std::vector<std::string> env;
  std::optional<std::string> value;
  std::size_t chosen = 99;
  std::string image;
  std::vector<std::string> command;
  std::optional<int> code;
};

Parsed parse(const Words& words) {
  Parsed p;
  CommandLine line("test", "A test.");
  line.flag("-f,--flag", p.flag, "");
  line.flag("-g", p.flag, "");
  line.tristate("--init", p.init, "");
  line.values("-e,--env", p.env, "X", "");
  line.value("--value", p.value, "X", "");
  line.choice(
      "--net", {"a", "b"}, [&](std::size_t index) { p.chosen = index; }, "");
  line.argument("IMAGE", p.image, "");
  line.arguments("COMMAND", p.command, "", false);
  line.arguments_end_options();
  p.code = line.parse(words);
  return p;
}

}  // namespace

TEST_CASE("options end at the first argument") {
  const Parsed p =
      parse({"-f", "-e", "A=1", "--env", "B", "image", "cmd", "-f", "--net", "x", "--", "y"});
  CHECK_FALSE(p.code);
  CHECK(p.flag);
  CHECK(p.env == Words{"A=1", "B"});
  CHECK(p.image == "image");
  CHECK(p.command.front() == "cmd");
  CHECK(p.command[1] == "-f");
  CHECK(p.command[2] == "--net");
  CHECK(parse({"-fe", "A=", "image", "--x="}).command == Words{"--x="});
}

TEST_CASE("a switch has three states, a value may be empty, a choice is one of its words") {
  CHECK_FALSE(parse({"image"}).init.has_value());
  CHECK(parse({"--init", "image"}).init == true);
  CHECK(parse({"--init=false", "image"}).init == false);
  CHECK(parse({"--value=", "image"}).value == "");
  CHECK(parse({"--value", "", "image"}).value == "");
  CHECK(parse({"--value", "x", "image"}).value == "x");
  CHECK(parse({"--net", "b", "image"}).chosen == 1);
  CHECK(parse({"-fg", "image"}).flag);
}

TEST_CASE("wrong words end with 125, help with 0") {
  CHECK(parse({"--net", "c", "image"}).code == 125);
  CHECK(parse({"--no-such", "image"}).code == 125);
  CHECK(parse({"--init=bad", "image"}).code == 125);
  CHECK(parse({"--init=99999999999999999999", "image"}).code == 125);
  CHECK(parse({}).code == 125);
  CHECK(parse({"--help"}).code == 0);
}
