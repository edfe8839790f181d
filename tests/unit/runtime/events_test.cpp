#include "runtime/events.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace sbx::runtime;
namespace fs = std::filesystem;

namespace {

struct Place {
  std::string path = (fs::temp_directory_path() / "sbx-events-XXXXXX").string();
  Place() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Place() { fs::remove_all(path); }
  [[nodiscard]] std::string file() const { return path + "/events/events.jsonl"; }
};

Event started(const std::string& id, const std::string& name = "web") {
  return {"container", "start", id, {{"image", "small"}, {"name", name}, {"tier", "front"}}, 0};
}

/// time() may be some milliseconds behind what events are stamped with: also just after the turn of a second.
EventQuery past(const std::vector<std::string>& filters = {}) {
  return {0, std::time(nullptr) + 2, EventFilter::parse(filters).value()};
}

/// The ids of what there is now, and until the end of this second.
std::string ids_in(const Place& place, const EventQuery& query) {
  std::string out;
  REQUIRE(read_events(place.path, query, [&](const Event& event) {
    out += event.id;
    return true;
  }));
  return out;
}

bool accepts(const std::vector<std::string>& words, const Event& event = started("abc")) {
  return EventFilter::parse(words).value().accepts(event);
}

}  // namespace

TEST_CASE("an event is docker's JSON, and read back") {
  Event event{"container",
              "die",
              "abc",
              {{"exitCode", "3"}, {"image", "small\n\""}},
              1'234'567'890'123'456'789};
  const std::string line = event_line(event);
  CHECK(line.find('\n') == std::string::npos);
  for (const char* part :
       {R"("Type":"container")", R"("Action":"die")", R"("status":"die")", R"("time":1234567890,)",
        R"("timeNano":1234567890123456789)", R"("Actor":{"Attributes":{"exitCode":"3")"}) {
    CHECK(line.find(part) != std::string::npos);
  }
  const Event back = parse_event_line(line).value();
  CHECK(back.id == "abc");
  CHECK(back.attributes == event.attributes);
  CHECK(back.time_ns == event.time_ns);
  for (const char* bad : {"", "{}", "[]", R"({"Type":"container","Action":"x"})", "{\"Type\":1}"}) {
    CHECK_FALSE(parse_event_line(bad));
  }
}

TEST_CASE("filters are docker's") {
  CHECK(accepts({"type=container", "event=start", "event=die"}));
  CHECK_FALSE(accepts({"event=die"}));
  CHECK(accepts({"container=ab"}));
  CHECK(accepts({"container=web"}));
  CHECK_FALSE(accepts({"container=we"}));
  CHECK(accepts({"image=small"}));
  CHECK(accepts({"label=tier", "label=tier=front"}));
  CHECK_FALSE(accepts({"label=tier", "label=tier=back"}));
  CHECK_FALSE(accepts({"container=web", "type=image"}));
  CHECK(accepts({"event=remove"}, {"container", "destroy", "x", {}, 0}));
  CHECK(accepts({"event=exec_start"}, {"container", "exec_start: ls -l", "x", {}, 0}));
  CHECK(accepts({"image=small"}, {"image", "tag", "sha256:1", {{"name", "small:latest"}}, 0}));
  CHECK_FALSE(EventFilter::parse({"colour=red"}));
  CHECK_FALSE(EventFilter::parse({"web"}));
}

TEST_CASE("what was written is read in its order, whatever stands in between") {
  const Place place;
  CHECK(ids_in(place, past()).empty());
  write_event(place.path, started("a"));
  std::ofstream(place.file(), std::ios::app) << "cut off by a power cut\n";
  write_event(place.path, started("b", "other"));
  CHECK(ids_in(place, past()) == "ab");
  CHECK(ids_in(place, past({"container=other"})) == "b");
  CHECK((fs::status(place.file()).permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a large file is put aside once, and still read") {
  const Place place;
  write_event(place.path, started("a"));
  {
    std::ofstream filler(place.file(), std::ios::app);
    const std::string line(1023, 'x');
    for (std::uint64_t i = 0; i < kEventsFileMax / 1024; ++i) {
      filler << line << '\n';
    }
  }
  write_event(place.path, started("b"));
  CHECK(fs::exists(place.file() + ".1"));
  CHECK_FALSE(fs::exists(place.file()));
  write_event(place.path, started("c"));
  CHECK(fs::file_size(place.file()) < 1024);
  CHECK(ids_in(place, past()) == "abc");
}

TEST_CASE("who follows sees what comes, and ends in time") {
  const Place place;
  write_event(place.path, started("old"));
  std::string seen;
  EventQuery query = past();
  query.since.reset();
  query.until = std::time(nullptr) + 20;
  std::thread writer([&] {
    // Until the reader is there, and has passed over what was there before.
    while (!fs::exists(place.path + "/stop")) {
      write_event(place.path, started("new"));
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  REQUIRE(read_events(place.path, query, [&](const Event& event) {
    seen = event.id;
    return false;
  }));
  std::ofstream(place.path + "/stop") << "";
  writer.join();
  CHECK(seen == "new");
  query.until = std::time(nullptr) + 1;
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(read_events(place.path, query, [](const Event&) { return true; }));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

TEST_CASE("what cannot be written is lost quietly") {
  const Place place;
  std::ofstream(place.path + "/events") << "a file";
  write_event(place.path, started("a"));
  CHECK(fs::is_regular_file(place.path + "/events"));
}
