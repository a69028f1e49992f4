import java.util.*;
import java.util.concurrent.Callable;

/** Cases by name, run one after the other, one line of JSON for each: `Main --list`, `Main ADDRESS PREFIX CASE…`. */
public final class Main {
    interface Body {
        void run(Run run) throws Exception;
    }

    /** Where the broker is and which names are free for this case. */
    static final class Run {
        final String address, prefix, name;

        Run(String address, String prefix, String name) {
            this.address = address;
            this.prefix = prefix + "-" + name;
            this.name = name;
        }

        String name(String what) {
            return prefix + "-" + what;
        }
    }

    static final Map<String, Body> CASES = new LinkedHashMap<>();

    /** What the client is too old for was not compiled. */
    static final String[] PARTS = {"Basics", "Groups", "Since1", "Since3"};

    public static void main(String[] args) throws Exception {
        for (String part : PARTS) {
            try {
                Class.forName(part).getDeclaredMethod("cases").invoke(null);
            } catch (ClassNotFoundException tooOld) {
                continue;
            }
        }
        if (args[0].equals("--list")) {
            System.out.println(String.join("\n", CASES.keySet()));
            System.exit(0);
        }
        for (String name : Arrays.asList(args).subList(2, args.length)) {
            long begin = System.nanoTime();
            String error = "null";
            try {
                CASES.get(name).run(new Run(args[0], args[1], name));
            } catch (Throwable failure) {
                failure.printStackTrace();
                error = quoted(failure + (failure.getCause() == null ? "" : ", from " + failure.getCause()));
            }
            System.out.printf(Locale.ROOT, "{\"case\": \"%s\", \"ok\": %s, \"error\": %s, \"seconds\": %.2f}%n",
                name, error.equals("null"), error, (System.nanoTime() - begin) / 1e9);
        }
        System.exit(0);
    }

    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray())
            out.append(c == '"' || c == '\\' ? "\\" + c : c < ' ' ? " " : String.valueOf(c));
        return out.append('"').toString();
    }

    static void equal(Object found, Object expected, String what) {
        if (!Objects.equals(found, expected)) {
            String text = String.valueOf(found);
            throw new AssertionError(what + ": " + text.substring(0, Math.min(300, text.length())) + ", not " + expected);
        }
    }

    static void holds(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
    }

    /** What must fail, with an exception of that name somewhere in its causes. */
    static void refused(Callable<?> act, String... names) {
        Throwable failure = null;
        try {
            act.call();
        } catch (Exception expected) {
            failure = expected;
        }
        holds(failure != null, "it was not refused");
        StringBuilder said = new StringBuilder();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            for (String name : names)
                if (cause.getClass().getSimpleName().equals(name)) return;
            said.append(cause).append("; ");
        }
        throw new AssertionError("refused with " + said);
    }

    static void until(String what, int seconds, Callable<Boolean> ready) throws Exception {
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        while (!ready.call()) {
            holds(System.nanoTime() < end, "waited " + seconds + " s for " + what);
            Thread.sleep(20);
        }
    }

    static Properties properties(Object... pairs) {
        Properties made = new Properties();
        for (int n = 0; n < pairs.length; n += 2) made.put(pairs[n], pairs[n + 1]);
        return made;
    }
}
