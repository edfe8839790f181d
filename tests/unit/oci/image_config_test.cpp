#include "oci/image_config.hpp"

#include <catch2/catch.hpp>

using sbx::oci::ImageConfig;

namespace {

const std::string kRootfs =
    R"("rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]})";

}  // namespace

TEST_CASE("a configuration is read") {
  const auto config =
      ImageConfig::parse(R"({"architecture":"amd64","os":"linux","created":"2020-01-01T00:00:00Z",
    "config":{"User":"1:2","Env":["A=b","","=x","EMPTY="],"Entrypoint":["/e"],"Cmd":null,"WorkingDir":"/w",
      "StopSignal":"SIGINT","Volumes":{"/v":{}},"ExposedPorts":{"80/tcp":{}},"Labels":{"l":"1"},"Healthcheck":{}},
    "history":[{"created_by":"x","empty_layer":true}],)" +
                             kRootfs + "}",
                         "test");
  REQUIRE(config);
  CHECK(config->platform.str() == "linux/amd64");
  CHECK(config->user == "1:2");
  CHECK(config->env == std::vector<std::string>{"A=b", "EMPTY="});
  CHECK(config->entrypoint == std::vector<std::string>{"/e"});
  CHECK(config->cmd.empty());
  CHECK(config->working_dir == "/w");
  CHECK(config->stop_signal == "SIGINT");
  CHECK(config->volumes.count("/v") == 1);
  CHECK(config->exposed_ports.count("80/tcp") == 1);
  CHECK(config->labels.at("l") == "1");
  CHECK(config->diff_ids.size() == 1);
  CHECK(config->history.at(0).empty_layer);
}

TEST_CASE("what cannot be run is refused") {
  for (const std::string& bad :
       {std::string("[]"), std::string("{}"),
        std::string(R"({"rootfs":{"type":"layers","diff_ids":[]}})"),
        std::string(R"({"rootfs":{"type":"files","diff_ids":["x"]}})"),
        R"({"config":{"Env":"A=b"},)" + kRootfs + "}",
        R"({"config":{"Cmd":["a\u0000b"]},)" + kRootfs + "}",
        R"({"config":{"User":7},)" + kRootfs + "}", R"({"os":"a/../b",)" + kRootfs + "}"}) {
    CHECK_FALSE(ImageConfig::parse(bad, "test"));
  }
}
