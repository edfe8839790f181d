#include "sys/process_mark.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "sys/child.hpp"

using sbx::ErrorCode;
using sbx::sys::mark_process;
using sbx::sys::open_process;
using sbx::sys::ProcessMark;

TEST_CASE("a process is found again by its mark") {
  const auto mark = mark_process(::getpid());
  REQUIRE(mark);
  CHECK(mark->pid == ::getpid());
  CHECK(mark->start > 0);
  CHECK(open_process(*mark));
}

TEST_CASE("another process with the same number is not it") {
  ProcessMark mark = *mark_process(::getpid());
  mark.start += 1;
  const auto found = open_process(mark);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kNotFound);
  CHECK_FALSE(open_process(ProcessMark{}));
}

TEST_CASE("a process that has ended is not found") {
  auto child = sbx::sys::Child::spawn({"/bin/true"});
  REQUIRE(child);
  const auto mark = mark_process(child->pid());
  REQUIRE(mark);
  REQUIRE(child->wait());
  CHECK_FALSE(open_process(*mark));
  CHECK_FALSE(mark_process(mark->pid));
}
