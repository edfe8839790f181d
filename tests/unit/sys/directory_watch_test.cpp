#include "sys/directory_watch.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "sys/channel.hpp"
#include "temporary_dir.hpp"

TEST_CASE("what is written in a watched directory wakes, and so does another descriptor") {
  const TemporaryDir dir;
  std::ofstream(dir.path + "/log") << "one";
  const auto watch = sbx::sys::DirectoryWatch::make(dir.path);
  REQUIRE(watch);
  std::ofstream(dir.path + "/log", std::ios::app) << "two";
  CHECK_FALSE(watch->wait(-1));
  CHECK_FALSE(watch->wait(-1, 1));  // nothing more comes
  const auto pipe = sbx::sys::make_pipe();
  REQUIRE(::write(pipe->writer.get(), "x", 1) == 1);
  CHECK(watch->wait(pipe->reader.get()));
}

TEST_CASE("a directory that is not there cannot be watched") {
  CHECK_FALSE(sbx::sys::DirectoryWatch::make("/nonexistent/directory"));
}
