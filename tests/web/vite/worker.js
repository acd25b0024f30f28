import "hallpass-web/worker";
