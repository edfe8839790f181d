#include "sys/close_aside.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "sys/channel.hpp"

using sbx::sys::close_aside;
using sbx::sys::Fd;
using sbx::sys::make_pipe;

namespace {

/// Waits until nobody has the other end any more: a test that fails here hangs until its time limit.
bool ends(const Fd& reader) {
  char nothing = 0;
  return ::read(reader.get(), &nothing, 1) == 0;
}

}  // namespace

TEST_CASE("what is closed aside is closed, and nothing else is kept") {
  auto below = make_pipe().value();
  auto given = make_pipe().value();
  auto also_given = make_pipe().value();
  auto above = make_pipe().value();
  std::vector<Fd> files;
  files.push_back(std::move(also_given.writer));
  files.push_back(std::move(given.writer));
  close_aside(std::move(files));
  CHECK(ends(given.reader));
  CHECK(ends(also_given.reader));
  below.writer.reset();
  above.writer.reset();
  CHECK(ends(below.reader));
  CHECK(ends(above.reader));
}

TEST_CASE("nothing to close") { close_aside({}); }
