#include "sys/process_stat.hpp"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

using namespace sbx::sys;

TEST_CASE("stat is read behind a name that looks like fields") {
  const std::string text =
      "4242 (a) b (c) S 17 4242 4000 34817 4242 4194560 100 200 3 4 15 27 5 6 20 -5 3 0 123456 "
      "7340032 512 18446744073709551615 1 1 0\n";
  const ProcessStat stat = parse_process_stat(text, 4096).value();
  CHECK(stat.pid == 4242);
  CHECK(stat.name == "a) b (c");
  CHECK(stat.state == 'S');
  CHECK(stat.parent == 17);
  CHECK(stat.group == 4242);
  CHECK(stat.cpu_time() == 42);
  CHECK(stat.waited_time == 11);
  CHECK(stat.nice == -5);
  CHECK(stat.threads == 3);
  CHECK(stat.start == 123456);
  CHECK(stat.virtual_bytes == 7340032);
  CHECK(stat.resident_bytes == 512U * 4096U);
  CHECK(terminal_name(stat.terminal) == "pts/1");
  for (const char* bad : {"", "1", "1 (a", "1 (a) S", "x (a) S 1 1", "1 (a) SS 1 1 1 1"}) {
    CHECK_FALSE(parse_process_stat(bad, 4096));
  }
}

TEST_CASE("status is read by its keys") {
  const std::string text =
      "Name:\tUid:\nUid:\t1000\t100000\t1000\t1000\nGid:\t1\t2\t3\t4\nGroups:\t5 6 \n"
      "NSpid:\t4242\t7\t1\nSeccomp:\t2\n";
  const ProcessStatus status = parse_process_status(text).value();
  CHECK(status.real_uid == 1000);
  CHECK(status.uid == 100000);
  CHECK(status.gid == 2);
  CHECK(status.groups == std::vector<gid_t>{5, 6});
  CHECK(status.pids == std::vector<pid_t>{4242, 7, 1});
  CHECK(status.seccomp == 2);
  CHECK_FALSE(parse_process_status("Uid:\t1\t1\t1\t1\n"));
}

TEST_CASE("terminals are called as in /dev") {
  CHECK(terminal_name(0) == "?");
  CHECK(terminal_name((4 << 8) | 1) == "tty1");
  CHECK(terminal_name((137 << 8) | 2) == "pts/258");
}

TEST_CASE("this process is there, and what it was called with") {
  const auto all = all_processes().value();
  const auto self = std::find_if(all.begin(), all.end(),
                                 [](const ProcessStat& one) { return one.pid == ::getpid(); });
  REQUIRE(self != all.end());
  CHECK(command_line_of(*self).find("unit_sys") != std::string::npos);
  CHECK(pid_namespace_of(::getpid()).starts_with("pid:["));
  CHECK(static_cast<double>(self->start) / static_cast<double>(ticks_per_second()) <=
        seconds_since_boot());
}
