#include "image/config_change.hpp"

#include <catch2/catch.hpp>

using sbx::Json;
using sbx::image::apply_change;

namespace {

Json changed(const std::vector<std::string>& changes) {
  Json config = Json::object();
  for (const std::string& change : changes) {
    INFO(change);
    const auto applied = apply_change(config, change);
    REQUIRE(applied);
  }
  return config;
}

}  // namespace

TEST_CASE("every instruction that docker import takes") {
  CHECK(changed({R"(CMD ["a", "b c"])"})["Cmd"] == Json({"a", "b c"}));
  CHECK(changed({"cmd echo $HOME"})["Cmd"] == Json({"/bin/sh", "-c", "echo $HOME"}));
  CHECK(changed({"CMD=/bin/sh"})["Cmd"] == Json({"/bin/sh", "-c", "/bin/sh"}));
  CHECK(changed({R"(ENTRYPOINT ["/init"])"})["Entrypoint"] == Json({"/init"}));
  CHECK(changed({"ENV A=1 B='two words'", "ENV A 3 and \"more\"", "ENV C=x\\ y"})["Env"] ==
        Json({"B=two words", "A=3 and \"more\"", "C=x y"}));
  CHECK(changed({"EXPOSE 80 53/udp 1000-1010"})["ExposedPorts"] ==
        Json({{"80/tcp", Json::object()},
              {"53/udp", Json::object()},
              {"1000-1010/tcp", Json::object()}}));
  CHECK(changed({"LABEL a=b \"c d\"=e"})["Labels"] == Json({{"a", "b"}, {"c d", "e"}}));
  CHECK(changed({"STOPSIGNAL SIGTERM"})["StopSignal"] == "SIGTERM");
  CHECK(changed({"USER 1000:10"})["User"] == "1000:10");
  CHECK(changed({"VOLUME /a /b", R"(VOLUME ["/c d"])"})["Volumes"] ==
        Json({{"/a", Json::object()}, {"/b", Json::object()}, {"/c d", Json::object()}}));
  CHECK(changed({"WORKDIR /srv", "WORKDIR www"})["WorkingDir"] == "/srv/www");
}

TEST_CASE("what is none of them is refused") {
  for (const char* change : {"", "CMD", "RUN make", "FROM x", "ONBUILD RUN x", "ENV novalue",
                             "ENV =x", "LABEL x", "EXPOSE http", "EXPOSE 70000", "EXPOSE 80/icmp",
                             "USER a b", "WORKDIR a b", "ENV A='x", "VOLUME [\"\"]"}) {
    INFO(change);
    Json config = Json::object();
    const auto applied = apply_change(config, change);
    REQUIRE_FALSE(applied);
    CHECK(applied.error().code == sbx::ErrorCode::kInvalidArgument);
  }
}
