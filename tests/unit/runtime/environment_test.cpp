#include "runtime/environment.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

using sbx::ErrorCode;
using sbx::RunOptions;
using sbx::runtime::build_environment;
using sbx::runtime::parse_environment_file;

namespace {

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("later settings replace earlier ones in place") {
  RunOptions request;
  request.environment = {"A=request", "NEW=1", "HOME=/mine"};
  const Words image{"PATH=/bin", "A=image"};
  CHECK(build_environment({request, image, "/root", "box", false}).value() ==
        Words{"PATH=/bin", "HOSTNAME=box", "container=sbx", "A=request", "NEW=1", "HOME=/mine"});
}

TEST_CASE("PATH, TERM and HOME have defaults") {
  const RunOptions request;
  const Words none;
  const Words made = build_environment({request, none, "/root", "", true}).value();
  CHECK(made == Words{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      "TERM=xterm", "container=sbx", "HOME=/root"});
}

TEST_CASE("a name alone takes the invoker's value, or is left out") {
  ::setenv("SBX_UNIT_SET", "yes", 1);
  ::unsetenv("SBX_UNIT_UNSET");
  RunOptions request;
  request.environment = {"SBX_UNIT_SET", "SBX_UNIT_UNSET"};
  const Words none;
  const Words made = build_environment({request, none, "/", "", false}).value();
  CHECK(std::count(made.begin(), made.end(), "SBX_UNIT_SET=yes") == 1);
  CHECK(std::none_of(made.begin(), made.end(),
                     [](const std::string& e) { return e.starts_with("SBX_UNIT_UNSET"); }));
}

TEST_CASE("a variable needs a name") {
  RunOptions request;
  request.environment = {"=value"};
  const Words none;
  CHECK(build_environment({request, none, "/", "", false}).error().code ==
        ErrorCode::kInvalidArgument);
}

TEST_CASE("an environment file has lines NAME=VALUE, NAME and comments") {
  CHECK(parse_environment_file("# no\n\nA=1 2\r\n  B=x=y\nC", "f").value() ==
        Words{"A=1 2", "B=x=y", "C"});
  CHECK(parse_environment_file("GOOD=1\nBAD NAME=2\n", "f").error().message().find("line 2") !=
        std::string::npos);
  CHECK_FALSE(parse_environment_file("=1", "f"));
  CHECK_FALSE(parse_environment_file(std::string_view("A=\0", 3), "f"));
}
