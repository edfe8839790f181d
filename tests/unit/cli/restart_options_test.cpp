#include "cli/restart_options.hpp"

#include <catch2/catch.hpp>

using sbx::RestartPolicy;
using sbx::cli::read_restart;

TEST_CASE("restart policies are docker's") {
  CHECK(read_restart("no")->policy == RestartPolicy::kNo);
  CHECK(read_restart("always")->policy == RestartPolicy::kAlways);
  CHECK(read_restart("unless-stopped")->policy == RestartPolicy::kUnlessStopped);
  CHECK(read_restart("on-failure")->most == 0);
  CHECK(read_restart("on-failure:3")->most == 3);
  for (const char* wrong : {"", "yes", "always:3", "on-failure:", "on-failure:x", "on-failure:-1",
                            "on-failure:1x", "on-failures", "on-failure3"}) {
    CHECK_FALSE(read_restart(wrong));
  }
}
