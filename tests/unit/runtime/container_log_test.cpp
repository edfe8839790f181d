#include "runtime/container_log.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "sys/file.hpp"
#include "temporary_dir.hpp"

using namespace sbx;
using namespace sbx::runtime;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::vector<LogEntry> entries(const std::string& path) {
  std::vector<LogEntry> out;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    out.push_back(parse_log_line(line).value());
  }
  return out;
}

}  // namespace

TEST_CASE("lines of both streams are kept apart, however they come") {
  const TemporaryDir dir;
  const auto fd = sys::open_at(AT_FDCWD, dir.path, O_RDONLY | O_DIRECTORY);
  auto log = ContainerLog::open(fd->get(), {});
  REQUIRE(log);
  log->add(LogStream::kOut, bytes("one\ntw"));
  log->add(LogStream::kErr, bytes("err \"\xff\"\n"));
  log->add(LogStream::kOut, bytes("o\n"));
  log->add(LogStream::kOut, bytes("end"));
  log->end(LogStream::kOut);
  log->end(LogStream::kErr);
  const auto got = entries(dir.path + "/log/container.log");
  REQUIRE(got.size() == 4);
  CHECK(got[0].text == "one\n");
  CHECK(got[1].text == "err \"\xef\xbf\xbd\"\n");
  CHECK(got[1].stream == LogStream::kErr);
  CHECK(got[2].text == "two\n");
  CHECK(got[3].text == "end");
  CHECK(got[0].time <= got[3].time);
}

TEST_CASE("a line without an end is cut into parts") {
  const TemporaryDir dir;
  const auto fd = sys::open_at(AT_FDCWD, dir.path, O_RDONLY | O_DIRECTORY);
  auto log = ContainerLog::open(fd->get(), {});
  const std::string text(kLogLineMax * 2 + 10, 'x');
  log->add(LogStream::kOut, bytes(text + "\n"));
  const auto got = entries(dir.path + "/log/container.log");
  REQUIRE(got.size() == 3);
  CHECK(got[0].text.size() == kLogLineMax);
  CHECK(got[2].text == std::string(10, 'x') + "\n");
}

TEST_CASE("a full file is followed by another, and the oldest go") {
  const TemporaryDir dir;
  const auto fd = sys::open_at(AT_FDCWD, dir.path, O_RDONLY | O_DIRECTORY);
  {
    auto log = ContainerLog::open(fd->get(), {LogDriver::kJsonFile, 200, 3});
    for (int i = 0; i < 20; ++i) {
      log->add(LogStream::kOut, bytes("line " + std::to_string(i) + "\n"));
    }
    CHECK(log->dropped() == 0);
  }
  const auto files = log_files(fd->get());
  REQUIRE(files);
  CHECK(*files == std::vector<std::string>{"container.log.2", "container.log.1", "container.log"});
  CHECK(entries(dir.path + "/log/container.log").back().text == "line 19\n");
  auto again = ContainerLog::open(fd->get(), {LogDriver::kJsonFile, 200, 3});
  again->add(LogStream::kOut, bytes("more\n"));
  CHECK(log_files(fd->get())->size() == 3);
}

TEST_CASE("what is no line of a log is passed over") {
  for (const char* line : {"", "{}", "[1]", "{\"log\":1,\"stream\":\"stdout\",\"time\":\"t\"}",
                           "{\"log\":\"a\",\"stream\":\"stdout\",\"ti"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_log_line(line));
  }
}

TEST_CASE(
    "lines that another program wrote are read too, and what looks like the end of one is not") {
  const auto spaced =
      parse_log_line(R"({ "stream": "stderr", "log": "a\n", "time": "2026-01-02T03:04:05Z" })");
  REQUIRE(spaced);
  CHECK(spaced->stream == LogStream::kErr);
  CHECK(spaced->text == "a\n");
  const TemporaryDir dir;
  const auto fd = sys::open_at(AT_FDCWD, dir.path, O_RDONLY | O_DIRECTORY);
  auto log = ContainerLog::open(fd->get(), {});
  const std::vector<std::string> texts{
      "\n",
      "\\n\n",
      "a\\\n",
      "\",\"stream\":\"stderr\n",
      R"(x","stream":"stderr","time":"2026-01-02T03:04:05.678901234Z"})"
      "\n",
      "tab\tand \x01\n"};
  for (const std::string& text : texts) {
    log->add(LogStream::kOut, bytes(text));
  }
  const auto got = entries(dir.path + "/log/container.log");
  REQUIRE(got.size() == texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(got[i].text == texts[i]);
    CHECK(got[i].stream == LogStream::kOut);
  }
}
