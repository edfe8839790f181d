#include "base/result.hpp"

#include <catch2/catch.hpp>
#include <memory>

using sbx::Errno;
using sbx::Error;
using sbx::ErrorCode;
using sbx::FsResult;
using sbx::Result;

namespace {

Result<std::unique_ptr<int>> make(bool work) {
  if (!work) {
    return sbx::fail(Error::make(ErrorCode::kNotFound, "find", "it's\n", "it is not there"));
  }
  return std::make_unique<int>(7);
}

Result<int> use(bool work) {
  const std::unique_ptr<int> value = SBX_TRY(make(work).context("using it"));
  return *value;
}

}  // namespace

TEST_CASE("SBX_TRY gives the value or returns the error") {
  CHECK(use(true).value() == 7);
  const Result<int> failed = use(false);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::kNotFound);
  CHECK(failed.error().message() == "cannot find 'it\\'s\\n': it is not there\n  while using it");
}

TEST_CASE("a system error keeps errno and takes its words") {
  const Error error = Error::system("open", "/x", EACCES).with_hint("look at the mode");
  CHECK(error.code == ErrorCode::kDenied);
  CHECK(error.message() == "cannot open '/x': Permission denied\n  hint: look at the mode");
}

TEST_CASE("an Errno result carries 4 bytes") {
  const FsResult<void> ok;
  CHECK(ok.has_value());
  const FsResult<int> failed = sbx::fail(Errno(ENOENT));
  CHECK(failed.error().value() == ENOENT);
}

TEST_CASE("printable text cannot steer a terminal") {
  CHECK(sbx::printable("\x1b[31mred") == "\\x1b[31mred");
  CHECK(sbx::printable("caf\xc3\xa9") == "caf\xc3\xa9");
  CHECK(sbx::printable("\xc2\x9b") == "\\xc2\\x9b");
  CHECK(sbx::printable("\xff\xfe") == "\\xff\\xfe");
  CHECK(sbx::printable("abcdef", 3) == "abc…");
}
