#include "sys/text_pages.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <string>

#include "sys/file.hpp"

namespace {

long resident_file_kib() {
  const std::string text = sbx::sys::read_file_at(AT_FDCWD, "/proc/self/status", 1 << 16).value();
  const std::size_t at = text.find("RssFile:");
  REQUIRE(at != std::string::npos);
  return std::stol(text.substr(at + 8));
}

}  // namespace

TEST_CASE("the program goes on after its text was dropped, with less of it resident") {
  const long before = resident_file_kib();
  sbx::sys::drop_text_pages();
  const long after = resident_file_kib();
  CHECK(after < before);
}
