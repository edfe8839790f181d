#include "runtime/health.hpp"

#include <catch2/catch.hpp>

using namespace sbx::runtime;
using sbx::HealthCheck;
using Words = std::vector<std::string>;
using Milliseconds = std::chrono::milliseconds;

TEST_CASE("the request goes over the image, member by member, and docker's defaults below both") {
  HealthCheck image{{"CMD", "check"}, 1000, 0, 0, 0, 7};
  HealthCheck request;
  request.timeout = 5;
  HealthCheck merged = merged_health(image, request);
  CHECK(merged.test == image.test);
  CHECK(merged.interval == 1000);
  CHECK(merged.timeout == 5);
  CHECK(merged.start_interval == 5000);
  CHECK(merged.retries == 7);
  request.test = {"CMD-SHELL", "other || exit 1"};
  CHECK(health_command(merged_health(image, request)) == Words{"/bin/sh", "-c", "other || exit 1"});
  CHECK(health_command(merged) == Words{"check"});
  CHECK(to_json(health_check_from_json(to_json(merged)).value()) == to_json(merged));
}

TEST_CASE("no check is no check") {
  CHECK(merged_health({}, {}).test.empty());
  CHECK(merged_health({{"CMD", "x"}, 0, 0, 0, 0, 0}, {{"NONE"}, 0, 0, 0, 0, 0}).test.empty());
  CHECK(merged_health({{"CMD-SHELL"}, 0, 0, 0, 0, 0}, {}).test.empty());
}

TEST_CASE("failures one after the other make it unhealthy, one success healthy") {
  Health health(merged_health({{"CMD", "x"}, 1000, 0, 0, 0, 2}, {}));
  CHECK(health.status() == "starting");
  health.add({"", "", 1, "why"}, Milliseconds(1));
  CHECK(health.status() == "starting");
  health.add({"", "", -1, ""}, Milliseconds(1));
  CHECK(health.status() == "unhealthy");
  CHECK(health.json()["FailingStreak"] == 2);
  CHECK(health.json()["Log"][0]["Output"] == "why");
  health.add({"", "", 0, ""}, Milliseconds(1));
  CHECK(health.status() == "healthy");
  for (int i = 0; i < 9; ++i) {
    health.add({"", "", 0, ""}, Milliseconds(1));
  }
  CHECK(health.json()["Log"].size() == 5);
}

TEST_CASE("failures while it starts do not count, and checks are more frequent then") {
  Health health(merged_health({{"CMD", "x"}, 1000, 0, 500, 100, 1}, {}));
  CHECK(health.pause(Milliseconds(0)) == Milliseconds(100));
  health.add({"", "", 1, ""}, Milliseconds(499));
  CHECK(health.status() == "starting");
  CHECK(health.pause(Milliseconds(500)) == Milliseconds(1000));
  health.add({"", "", 1, ""}, Milliseconds(500));
  CHECK(health.status() == "unhealthy");
}
