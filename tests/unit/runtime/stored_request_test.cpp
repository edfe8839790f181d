#include "runtime/stored_request.hpp"

#include <catch2/catch.hpp>

using namespace sbx;
using namespace sbx::runtime;

TEST_CASE("what a container was asked for is read as it was written") {
  StoredRequest stored;
  RunRequest& request = stored.request;
  request.image = "sha256:a";
  request.network = NetworkMode::kNone;
  request.user_namespace = UserNamespaceMode::kKeepId;
  request.kept_ids = {7, 8};
  request.overlay = OverlayEngine::kKernel;
  request.storage = {1024, 10};
  request.acls = request.interactive = request.host_user = request.remove = true;
  request.log = {LogDriver::kNone, 4096, 3};
  request.stop_signal = "SIGINT";
  request.stop_timeout = -1;
  stored.init = false;
  const auto again = stored_request_from_json(to_json(stored));
  REQUIRE(again);
  CHECK(to_json(*again) == to_json(stored));
  CHECK(again->request.kept_ids.gid == 8);
  CHECK(again->request.stop_timeout == -1);
  CHECK(again->request.pull == PullPolicy::kNever);
}

TEST_CASE("what this version does not understand is refused, not guessed") {
  const auto good = to_json(StoredRequest{});
  CHECK(stored_request_from_json(good));
  for (const auto& [key, value] :
       {std::pair("network", nlohmann::json("carrier-pigeon")),
        std::pair("overlay", nlohmann::json(1)), std::pair("keptUid", nlohmann::json(-1)),
        std::pair("storageBytes", nlohmann::json(-1)), std::pair("init", nlohmann::json("yes"))}) {
    auto bad = good;
    bad[key] = value;
    CAPTURE(key);
    CHECK_FALSE(stored_request_from_json(bad));
  }
}
