#include "runtime/container_state.hpp"

#include <catch2/catch.hpp>

using namespace sbx::runtime;

TEST_CASE("a container's state is read as it was written") {
  ContainerState state;
  state.id = std::string(64, 'a');
  state.name = "web";
  state.image = "debian";
  state.image_id = "sha256:b";
  state.chain = "sha256:c";
  state.command = {"sleep", "1"};
  state.labels = {{"a", "1"}, {"b", ""}};
  state.remove = true;
  state.kernel_overlay = true;
  state.status = ContainerStatus::kRunning;
  state.created = "2026-01-01T00:00:00.000000001Z";
  state.started = "2026-01-02T00:00:00.000000001Z";
  state.finished = "2026-01-03T00:00:00.000000001Z";
  state.monitor = {12, 345};
  state.init = {13, 346};
  state.exit_code = 3;
  state.error = "why";
  const auto again = container_state_from_json(to_json(state));
  REQUIRE(again);
  CHECK(to_json(*again) == to_json(state));
  CHECK(again->labels == state.labels);
  CHECK(again->monitor.start == 345);
  CHECK(again->status == ContainerStatus::kRunning);
}

TEST_CASE("a state that cannot be is refused") {
  const auto good = to_json(ContainerState{});
  CHECK(container_state_from_json(good));
  for (const auto& [key, value] :
       {std::pair("status", nlohmann::json("dancing")), std::pair("status", nlohmann::json(1)),
        std::pair("monitor", nlohmann::json({{"pid", -1}})),
        std::pair("process", nlohmann::json({{"pid", 4294967296}})),
        std::pair("command", nlohmann::json("sleep"))}) {
    auto bad = good;
    bad[key] = value;
    CAPTURE(key);
    CHECK_FALSE(container_state_from_json(bad));
  }
}
