#include "runtime/container_top.hpp"

#include <catch2/catch.hpp>
#include <string>

using sbx::runtime::name_of_id;
using sbx::runtime::top_field;
using sbx::runtime::top_heading;
using sbx::runtime::TopClock;
using sbx::runtime::TopProcess;

namespace {

TopProcess process() {
  TopProcess out;
  out.stat.pid = 4242;
  out.stat.parent = 4000;
  out.stat.name = "sleep";
  out.stat.state = 'S';
  out.stat.user_time = 6000;  // a minute
  out.stat.system_time = 0;
  out.stat.start = 100'000;  // 1,000 s after boot
  out.stat.resident_bytes = 8192;
  out.status.uid = 1000;
  out.status.seccomp = 2;
  out.command = "sleep 1";
  out.pid = 7;
  out.parent = 1;
  out.user = "root";
  return out;
}

}  // namespace

TEST_CASE("podman's descriptors show the inside, docker's columns the host") {
  const TopClock clock{1600, 1'800'000'000, 100};
  const TopProcess one = process();
  CHECK(top_field("pid", one, clock) == "7");
  CHECK(top_field("ppid", one, clock) == "1");
  CHECK(top_field("hpid", one, clock) == "4242");
  CHECK(top_field("docker.pid", one, clock) == "4242");
  CHECK(top_field("docker.ppid", one, clock) == "4000");
  CHECK(top_field("user", one, clock) == "root");
  CHECK(top_field("huser", one, clock) == "1000");
  CHECK(top_field("docker.uid", one, clock) == "1000");
  CHECK(top_field("args", one, clock) == "sleep 1");
  CHECK(top_field("comm", one, clock) == "sleep");
  CHECK(top_field("rss", one, clock) == "8");
  CHECK(top_field("seccomp", one, clock) == "filter");
  CHECK(top_field("state", one, clock) == "S");
}

TEST_CASE("times are as ps has them") {
  TopProcess one = process();
  CHECK(top_field("time", one, {1600, 1'800'000'000, 100}) == "00:01:00");
  CHECK(top_field("etime", one, {1600, 1'800'000'000, 100}) == "10:00");
  CHECK(top_field("etime", one, {1000 + 3661, 1'800'000'000, 100}) == "01:01:01");
  CHECK(top_field("etime", one, {1000 + 90061, 1'800'000'000, 100}) == "1-01:01:01");
  CHECK(top_field("pcpu", one, {1600, 1'800'000'000, 100}) == "10.000");
  CHECK(top_field("docker.c", one, {1600, 1'800'000'000, 100}) == "10");
  CHECK(top_field("docker.c", one, {900, 1'800'000'000, 100}) == "0");  // a clock set back
  CHECK(top_field("docker.stime", one, {1600, 1'800'000'000, 100}).size() == 5);
  CHECK(top_field("stime", one, {1000 + 90061, 1'800'000'000, 100}).find(':') == std::string::npos);
}

TEST_CASE("headings tell what is there") {
  CHECK(top_heading("pid") == "PID");
  CHECK(top_heading("docker.cmd") == "CMD");
  CHECK(top_heading("-ef").empty());
  CHECK(top_heading("").empty());
}

TEST_CASE("names come from accounts that an image wrote") {
  const std::string text = "broken\nroot:x:0:0::/:/bin/sh\n:x:5:5\nbad\x1bname:x:6:6\nlast:x:7";
  CHECK(name_of_id(text, 0) == "root");
  CHECK(name_of_id(text, 5) == "5");
  CHECK(name_of_id(text, 6).find('\x1b') == std::string::npos);
  CHECK(name_of_id(text, 7) == "last");
  CHECK(name_of_id(text, 1000) == "1000");
}
