#include "runtime/container_filter.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using sbx::Error;
using sbx::ErrorCode;
using sbx::Result;
using sbx::runtime::Container;
using sbx::runtime::ContainerFilter;
using sbx::runtime::ContainerStatus;
using sbx::runtime::FilterFacts;

namespace {

FilterFacts facts() {
  FilterFacts out;
  out.now = 1'800'000'000;
  out.created = [](const std::string& name) -> Result<std::string> {
    if (name != "middle") {
      return sbx::fail(Error::make(ErrorCode::kNotFound, "find container", name, "none"));
    }
    return std::string("2026-05-05T00:00:00.000000000Z");
  };
  out.images = [](const std::string& name) -> Result<std::set<std::string>> {
    return name == "base" ? std::set<std::string>{"sha256:aa", "sha256:bb"}
                          : std::set<std::string>();
  };
  out.mounts = [](const std::string& id) {
    return id == "abc" ? std::set<std::string>{"/host", "/data"} : std::set<std::string>();
  };
  out.health = [](const Container& one) { return one.state.id == "sick" ? "unhealthy" : ""; };
  return out;
}

Container container() {
  Container out;
  out.state.id = "abc";
  out.state.name = "web-1";
  out.state.image = "small";
  out.state.image_id = "sha256:bb";
  out.state.created = "2026-05-06T00:00:00.000000000Z";
  out.state.labels = {{"tier", "front"}, {"empty", ""}};
  out.state.status = ContainerStatus::kExited;
  out.state.exit_code = 3;
  return out;
}

bool accepts(const std::vector<std::string>& words, const Container& one = container()) {
  const FilterFacts known = facts();
  return ContainerFilter::parse(words, known).value().accepts(one);
}

std::string refusal(const std::string& word) {
  const FilterFacts known = facts();
  return ContainerFilter::parse({word}, known).error().message();
}

}  // namespace

TEST_CASE("each key looks at its own") {
  CHECK(accepts({}));
  CHECK(accepts({"id=ab"}));
  CHECK_FALSE(accepts({"id=bc"}));
  CHECK(accepts({"exited=3"}));
  CHECK_FALSE(accepts({"exited=0"}));
  CHECK(accepts({"status=exited"}));
  CHECK_FALSE(accepts({"status=dead"}));
  CHECK(accepts({"ancestor=small"}));
  CHECK(accepts({"ancestor=base"}));
  CHECK_FALSE(accepts({"ancestor=other"}));
  CHECK(accepts({"volume=/host"}));
  CHECK(accepts({"volume=/data"}));
  CHECK_FALSE(accepts({"volume=/dat"}));
  CHECK(accepts({"health=none"}));
  CHECK_FALSE(accepts({"health=healthy"}));
  Container sick = container();
  sick.state.id = "sick";
  CHECK(accepts({"health=unhealthy"}, sick));
  CHECK_FALSE(accepts({"health=none"}, sick));
}

TEST_CASE("names are found by patterns, with docker's slash or without") {
  CHECK(accepts({"name=eb"}));
  CHECK(accepts({"name=^web"}));
  CHECK(accepts({"name=^/web-[0-9]$"}));
  CHECK_FALSE(accepts({"name=^eb"}));
  CHECK(refusal("name=[").find("no regular expression") != std::string::npos);
  CHECK(refusal("name=" + std::string(1000, 'a')).find("no regular expression") !=
        std::string::npos);
}

TEST_CASE("labels must all be there, or not be there") {
  CHECK(accepts({"label=tier", "label=tier=front", "label=empty="}));
  CHECK_FALSE(accepts({"label=tier", "label=tier=back"}));
  CHECK_FALSE(accepts({"label=none"}));
  CHECK(accepts({"label!=none", "label!=tier=back"}));
  CHECK_FALSE(accepts({"label!=tier"}));
}

TEST_CASE("times are those of the making") {
  CHECK(accepts({"since=middle"}));
  CHECK_FALSE(accepts({"before=middle"}));
  CHECK(accepts({"until=1h"}));  // now is 2027
  CHECK(accepts({"until=2026-05-06T00:00:01Z"}));
  CHECK_FALSE(accepts({"until=2026-05-06T00:00:00Z"}));
  CHECK(refusal("since=nobody").find("nobody") != std::string::npos);
}

TEST_CASE("values of one key are alternatives, keys must all hold") {
  CHECK(accepts({"status=running", "status=exited"}));
  CHECK_FALSE(accepts({"status=exited", "exited=1"}));
  Container paused = container();
  paused.state.status = ContainerStatus::kRunning;
  paused.busy = paused.paused = true;
  CHECK(accepts({"status=paused"}, paused));
  CHECK_FALSE(accepts({"status=running"}, paused));
}

TEST_CASE("what is no filter is refused") {
  CHECK(refusal("web").find("KEY=VALUE") != std::string::npos);
  CHECK(refusal("colour=red").find("there is no such filter") != std::string::npos);
  CHECK(refusal("status=up").find("paused") != std::string::npos);
  CHECK(refusal("exited=x").find("exit code") != std::string::npos);
  CHECK(refusal("health=well").find("unhealthy") != std::string::npos);
}
