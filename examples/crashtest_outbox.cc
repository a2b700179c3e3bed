// A crash test of a program that uses Firn: a shop that confirms orders by mail. An order and the mail about it are
// written in one batch to two families; a mailer sends what is in the outbox and then removes it. What must hold after
// any crash: every confirmed order is there, and every order has its mail, either waiting or sent.
//
// crashtest_outbox --seconds 10 explores; --replay TOKEN repeats what it found. Make the two puts of place_order() two
// calls of db.put(), or drop the Durability, and it finds the order without its mail, or the one that is gone.
#include <span>
#include <string>

#include "firn/firn.h"
#include "firn/sim/crash_explorer.h"

namespace {

using firn::sim::broken;

class Outbox final : public firn::sim::Workload {
 public:
  std::string name() const override { return "outbox"; }

  firn::Status run(firn::sim::World& world) override {
    auto opened = firn::DB::open("shop", options(world));
    if (!opened.ok()) return opened.status();
    firn::DB& db = **opened;
    auto outbox = db.create_family("outbox");
    if (!outbox.ok()) return outbox.status();
    for (int order = 1; order <= 12; ++order) {
      if (firn::Status status = place_order(db, *outbox, order); !status.ok()) return status;
      // The customer has been told.
      world.acknowledge("order " + std::to_string(order));
      if (order % 3 != 0) continue;
      if (firn::Status status = send_mails(db, *outbox); !status.ok()) return status;
    }
    if (firn::Status status = db.flush(*outbox); !status.ok()) return status;
    return db.close();
  }

  firn::Status check(firn::sim::World& world, std::span<const std::string> acknowledged) override {
    auto opened = firn::DB::open("shop", options(world));
    if (!opened.ok()) return opened.status();
    firn::DB& db = **opened;
    const auto outbox = db.family("outbox");
    if (!outbox.ok()) {
      return acknowledged.empty() ? firn::Status() : broken("the outbox is gone: " + outbox.status().to_string());
    }
    for (const std::string& order : acknowledged) {
      if (!db.get(order).ok()) return broken(order + " was confirmed and is lost");
    }
    firn::Iterator orders = db.scan_prefix("order ");
    firn::Step step = orders.next();
    std::uint64_t count = 0;
    for (; step == firn::Step::kEntry; step = orders.next(), ++count) {
      const bool waiting = db.get(*outbox, orders.key()).ok();
      const bool sent = db.get("sent " + std::string(orders.key())).ok();
      if (waiting == sent) return broken(std::string(orders.key()) + (sent ? " has two mails" : " has no mail"));
    }
    if (step != firn::Step::kEnd) return orders.status();
    world.note_outcome(count);
    // The program goes on where it was.
    if (firn::Status status = send_mails(db, *outbox); !status.ok()) return status;
    return db.close();
  }

 private:
  static firn::Options options(const firn::sim::World& world) {
    firn::Options options;
    options.platform = &world.platform();
    options.durability = firn::Durability::kSync;
    options.memory_bytes = 1 << 20;
    options.sizes.log_segment_bytes = 64 << 10;
    return options;
  }

  static firn::Status place_order(firn::DB& db, firn::Family outbox, int number) {
    const std::string order = "order " + std::to_string(number);
    firn::WriteBatch batch;
    batch.put(order, "3 apples, 1 pear");
    batch.put(outbox, order, "Thank you for your order " + std::to_string(number));
    return db.write(batch);
  }

  // Each mail is noted as sent, and leaves the outbox, in one batch.
  static firn::Status send_mails(firn::DB& db, firn::Family outbox) {
    firn::Iterator mails = db.iterator(outbox);
    firn::Step step = mails.next();
    for (; step == firn::Step::kEntry; step = mails.next()) {
      firn::WriteBatch batch;
      batch.put("sent " + std::string(mails.key()), mails.value());
      batch.erase(outbox, mails.key());
      if (firn::Status status = db.write(batch); !status.ok()) return status;
    }
    return step == firn::Step::kEnd ? firn::Status() : mails.status();
  }
};

}  // namespace

int main(int argc, char** argv) {
  Outbox outbox;
  return firn::sim::crash_test_main(argc, argv, {&outbox});
}
